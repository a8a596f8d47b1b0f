import { describe, expect, it } from 'vitest';
import { MemoryMessageStore } from '#shared/adapters/memory/memory-message-store.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { SentContents } from './sent-contents.ts';

const [CHAT, OTHER] = ['4915100000001@c.us', '4915100000002@c.us'];
const LID = '77777777777@lid';

async function world() {
  const messages = new MemoryMessageStore();
  const add = (id: string, fromMe: boolean) =>
    messages.add('alpha', waMessage({ id, fromMe, chatId: CHAT, _data: { content: 'AQ==' } }), 1);
  await add('3EB0OURS', true);
  await add('3EB0THEIRS', false);
  const contents = new SentContents('alpha', messages);
  contents.remember('3EB0NEW', CHAT, Uint8Array.of(1));
  return contents;
}

describe('contents of messages', () => {
  it('are known by id, whoever has sent them', async () => {
    const contents = await world();
    for (const id of ['3EB0OURS', '3EB0THEIRS', '3EB0NEW'])
      expect(Array.from((await contents.get(id, {})) ?? [])).toEqual([1]);
    expect(await contents.get('3EB0NONE', {})).toBeUndefined();
  });

  it('are those of the author who is meant', async () => {
    const contents = await world();
    for (const id of ['3EB0OURS', '3EB0NEW'])
      expect(await contents.get(id, { chatId: CHAT, fromMe: true })).toHaveLength(1);
    // A guess, where nobody knew the message yet.
    expect(await contents.get('3EB0OURS', { chatId: CHAT, fromMe: false })).toHaveLength(1);
    expect(await contents.get('3EB0OURS', { chatId: OTHER, fromMe: false })).toBeUndefined();
    expect(await contents.get('3EB0THEIRS', { chatId: OTHER, fromMe: false })).toBeUndefined();
    // In front of the one that was sent here, where both have the id.
    contents.remember('3EB0THEIRS', CHAT, Uint8Array.of(2));
    expect(Array.from((await contents.get('3EB0THEIRS', { chatId: CHAT, fromMe: false })) ?? [])).toEqual([1]);
    expect(Array.from((await contents.get('3EB0THEIRS', { chatId: CHAT, fromMe: true })) ?? [])).toEqual([2]);
  });

  it.each(['3EB0OURS', '3EB0NEW'])('of our own are for the chat they were sent to: %s', async (id) => {
    const contents = await world();
    expect(Array.from((await contents.getSent(id, [LID, CHAT])) ?? [])).toEqual([1]);
    expect(await contents.getSent(id, [OTHER])).toBeUndefined();
    expect(await contents.getSent(id, [])).toBeUndefined();
  });

  it('of others are for no chat', async () => {
    expect(await (await world()).getSent('3EB0THEIRS', [CHAT])).toBeUndefined();
  });
});
