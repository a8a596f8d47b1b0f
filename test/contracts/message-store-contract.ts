import { beforeEach, describe, expect, it } from 'vitest';
import { formatMessageId } from '#shared/domain/message-id.ts';
import type { MessageQuery, MessageStore } from '#shared/ports/read-models.ts';
import { MOST_KEY_BYTES } from './chat-store-contract.ts';
import { defineMessageAuthorsContract } from './message-authors-contract.ts';
import { author, CHAT, GROUP, ME, media, OTHER, page, SENDER, THEM } from './message-samples.ts';
import { waMessage } from './rows.ts';

/** The most characters that WhatsApp's apps send, of three bytes each. */
function largest(character: string) {
  const body = character.repeat(65_536);
  return { body, content: Buffer.from(body).toString('base64') };
}

/** The largest message with the largest edits and reactions, and with those of strangers. */
export async function storeTheLargest(store: MessageStore): Promise<void> {
  const { body, content } = largest('漢');
  await store.add('alpha', waMessage({ id: 'AAAAA1', body, _data: { type: 'text', content } }), 1);
  await store.edit('alpha', 'AAAAA1', THEM, largest('字'), 1000);
  await store.edit('alpha', 'AAAAA1', THEM, largest('語'), 2000);
  for (const [index, by] of [THEM, ME].entries()) {
    await store.react('alpha', 'AAAAA1', by, `${index}`, '👍'.repeat(100_000), 3000);
  }
  for (let index = 0; index < 30; index += 1) {
    const by = author(GROUP, { participant: `49151${String(index).padStart(8, '0')}@c.us` });
    await store.edit('alpha', 'AAAAA1', by, largest('偽'), 9000);
    await store.react('alpha', 'AAAAA1', by, `${index}`, '👎'.repeat(100_000), 3000);
  }
  await store.raiseAck('alpha', 'AAAAA1', 3);
}

/** What every message store does. @param factory gives an empty store */
export function defineMessageStoreContract(name: string, factory: () => Promise<MessageStore>): void {
  defineMessageAuthorsContract(name, factory);

  describe(`${name}: a message store`, () => {
    let store: MessageStore;
    beforeEach(async () => {
      store = await factory();
    });

    const ids = async (query: Partial<MessageQuery>, session = 'alpha') =>
      (await store.query(session, page(query))).map((row) => row.id);

    it('gives back what was added', async () => {
      const message = waMessage({ id: 'AAAAA1' });
      await store.add('alpha', message, 1);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({
        session: 'alpha',
        chatId: CHAT,
        message,
        ack: 1,
        reactions: {},
      });
      expect(await store.get('beta', 'AAAAA1')).toBeUndefined();
      expect(await store.get('alpha', 'AAAAA2')).toBeUndefined();
    });

    it('raises the ack and never lowers it', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1', fromMe: true, ack: 0 }), 1);
      await store.raiseAck('alpha', 'AAAAA1', 3);
      await store.raiseAck('alpha', 'AAAAA1', 2);
      const row = await store.get('alpha', 'AAAAA1');
      expect(row).toMatchObject({ ack: 3, message: { ack: 3, ackName: 'READ' } });
    });

    it('shows a failure until a receipt proves the opposite', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1', fromMe: true, ack: 0 }), 1);
      await store.raiseAck('alpha', 'AAAAA1', -1);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({ ack: -1, message: { ackName: 'ERROR' } });
      await store.raiseAck('alpha', 'AAAAA1', 0);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({ ack: -1 });
      await store.raiseAck('alpha', 'AAAAA1', 1);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({ ack: 1 });
    });

    it('keeps what came before the message, and shows nothing until it comes', async () => {
      await store.raiseAck('alpha', 'AAAAA1', 2);
      await store.react('alpha', 'AAAAA1', THEM, SENDER, '👍', 1000);
      await store.edit('alpha', 'AAAAA1', THEM, { body: 'edited', content: 'Y29udGVudA==' }, 5000);
      await store.revoke('alpha', 'AAAAA1', THEM, 6000);
      expect(await store.get('alpha', 'AAAAA1')).toBeUndefined();
      expect(await ids({})).toEqual([]);
      expect(await ids({ chatId: CHAT })).toEqual([]);

      await store.add('alpha', waMessage({ id: 'AAAAA1', ack: 1, _data: { type: 'text' } }), 1);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({
        ack: 2,
        reactions: { [SENDER]: '👍' },
        editedAt: 5000,
        revokedAt: 6000,
        message: { body: 'edited', _data: { type: 'text', content: 'Y29udGVudA==' } },
      });
      expect(await ids({ chatId: CHAT })).toEqual(['AAAAA1']);
    });

    it('adds a message again without losing anything', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1' }), 1);
      await store.edit('alpha', 'AAAAA1', THEM, { body: 'edited' }, 5000);
      await store.raiseAck('alpha', 'AAAAA1', 3);
      await store.add('alpha', waMessage({ id: 'AAAAA1' }), 1);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({ ack: 3, message: { body: 'edited' } });
    });

    it('keeps the newest edit and the first revocation', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1' }), 1);
      await store.edit('alpha', 'AAAAA1', THEM, { body: 'second' }, 2000);
      await store.edit('alpha', 'AAAAA1', THEM, { body: 'first' }, 1000);
      await store.revoke('alpha', 'AAAAA1', THEM, 4000);
      await store.revoke('alpha', 'AAAAA1', THEM, 3000);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({
        editedAt: 2000,
        revokedAt: 3000,
        message: { body: 'second' },
      });
    });

    it('shows the newest media in place of what the message came with, whichever comes first', async () => {
      await store.setMedia('alpha', 'AAAAA1', THEM, media('second'), 2000);
      expect(await store.get('alpha', 'AAAAA1')).toBeUndefined();
      await store.add('alpha', waMessage({ id: 'AAAAA1', media: media('first') }), 1);
      await store.setMedia('alpha', 'AAAAA1', THEM, media('late'), 1000);
      expect(await store.get('alpha', 'AAAAA1')).toMatchObject({ message: { hasMedia: true, media: media('second') } });
      await store.setMedia('alpha', 'AAAAA1', THEM, media(null), 3000);
      expect(await store.query('alpha', page())).toMatchObject([{ message: { media: media(null) } }]);
    });

    it('keeps one reaction of each sender, and none that was taken back', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1' }), 1);
      await store.react('alpha', 'AAAAA1', THEM, SENDER, '👍', 1000);
      await store.react('alpha', 'AAAAA1', ME, OTHER, '🎉', 1000);
      expect((await store.get('alpha', 'AAAAA1'))?.reactions).toEqual({ [SENDER]: '👍', [OTHER]: '🎉' });
    });

    it('keeps the newest reaction of a sender, also when it was to take one back', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1' }), 1);
      await store.react('alpha', 'AAAAA1', THEM, SENDER, '👍', 1000);
      await store.react('alpha', 'AAAAA1', THEM, SENDER, '', 3000);
      await store.react('alpha', 'AAAAA1', THEM, SENDER, '🎉', 2000);
      expect((await store.get('alpha', 'AAAAA1'))?.reactions).toEqual({});
      await store.react('alpha', 'AAAAA1', THEM, SENDER, '🎉', 4000);
      expect((await store.get('alpha', 'AAAAA1'))?.reactions).toEqual({ [SENDER]: '🎉' });
    });

    it('comes to the same end in any order when two happen at the same time', async () => {
      await store.add('alpha', waMessage({ id: 'AAAAA1' }), 1);
      await store.add('alpha', waMessage({ id: 'AAAAA2' }), 1);
      for (const [id, texts] of [
        ['AAAAA1', ['a', 'b']],
        ['AAAAA2', ['b', 'a']],
      ] as const) {
        for (const text of texts) {
          await store.react('alpha', id, THEM, SENDER, text, 1000);
          await store.edit('alpha', id, THEM, { body: text }, 1000);
          await store.setMedia('alpha', id, THEM, media(text), 1000);
        }
        expect(await store.get('alpha', id)).toMatchObject({
          reactions: { [SENDER]: 'b' },
          message: { body: 'b', media: media('b') },
        });
      }
    });

    it('stores the largest message there is, and lets it be edited, reacted to and read', async () => {
      await storeTheLargest(store);
      const row = await store.get('alpha', 'AAAAA1');
      expect(row).toMatchObject({ ack: 3, editedAt: 2000, message: { _data: { type: 'text', omitted: true } } });
      expect(row?.message.body).toBe('語'.repeat(65_536));
      // That of before the edit would be forwarded for what it says now.
      expect(row?.message._data).not.toHaveProperty('content');
      expect(Object.keys(row?.reactions ?? {})).toEqual(['0', '1']);
      expect(row?.reactions[0]).toMatch(/^(?:👍){1,64}$/u);
      expect(await store.query('alpha', page())).toEqual([row]);
    });

    it('keeps the content of what is not that long', async () => {
      const body = '漢'.repeat(30_000);
      const content = Buffer.from(body).toString('base64');
      await store.add('alpha', waMessage({ id: 'AAAAA1', body, _data: { content } }), 1);
      expect((await store.get('alpha', 'AAAAA1'))?.message).toMatchObject({ body, _data: { content } });
      await store.edit('alpha', 'AAAAA1', THEM, { body: `${body}!`, content }, 1000);
      const { message } = (await store.get('alpha', 'AAAAA1')) ?? {};
      expect(message).toMatchObject({ body: `${body}!`, _data: { content } });
      expect(message?._data).not.toHaveProperty('omitted');
    });

    it('cuts what no app sends', async () => {
      const much = '漢'.repeat(300_000);
      const filename = { ...media(null), filename: much };
      const told = waMessage({ id: 'AAAAA1', body: much, media: filename, _data: { type: 'text', pushName: much } });
      await store.add('alpha', { ...told, vCards: [much, much], replyTo: { id: much, body: much } }, 1);
      await store.setMedia('alpha', 'AAAAA1', author(OTHER), filename, 1000);
      const row = await store.get('alpha', 'AAAAA1');
      expect(row).toMatchObject({ message: { vCards: [], replyTo: null, _data: { type: 'text', omitted: true } } });
      expect(row?.message.body).toMatch(/^漢{60000,}$/);
      await store.edit('alpha', 'AAAAA1', THEM, { body: much, content: much }, 2000);
      await store.setMedia('alpha', 'AAAAA1', THEM, filename, 2000);
      expect((await store.get('alpha', 'AAAAA1'))?.message.media?.filename).toMatch(/^漢{300,400}$/);
      expect((await store.get('alpha', 'AAAAA1'))?.message.body).toMatch(/^漢{60000,}$/);
    });

    it('keeps apart ids of every form and length', async () => {
      const chosen = [
        'A',
        'MY_OWN_ID',
        'AAAAA1#edit',
        'A'.repeat(300),
        '漢'.repeat(5000),
        `${'漢'.repeat(4999)}字`,
        ' ',
      ];
      for (const [index, id] of chosen.entries()) {
        await store.edit('alpha', id, THEM, { body: `edited ${index}` }, 5000);
        await store.raiseAck('alpha', id, 3);
        await store.add('alpha', { ...waMessage({ id }), id: formatMessageId({ ...THEM, id }) }, 1);
      }
      for (const [index, id] of chosen.entries()) {
        expect(await store.get('alpha', id)).toMatchObject({ ack: 3, message: { body: `edited ${index}` } });
      }
      const rows = await store.query('alpha', page());
      expect(rows).toHaveLength(chosen.length);
      for (const { position } of rows) expect(Buffer.byteLength(position)).toBeLessThan(MOST_KEY_BYTES);
    });

    it('gives a chat in the order of time, whatever order it came in', async () => {
      const times = [
        ['AAAAA3', 30],
        ['AAAAA1', 10],
        ['AAAAA2', 20],
        ['AAAAA4', 30],
      ] as const;
      for (const [id, timestamp] of times) await store.add('alpha', waMessage({ id, timestamp }), 1);
      await store.add('alpha', waMessage({ id: 'BBBBB1', chatId: OTHER, timestamp: 15 }), 1);
      await store.add('beta', waMessage({ id: 'CCCCC1', timestamp: 12 }), 1);
      expect(await ids({ chatId: CHAT })).toEqual(['AAAAA1', 'AAAAA2', 'AAAAA3', 'AAAAA4']);
      expect(await ids({ chatId: CHAT, sortOrder: 'desc' })).toEqual(['AAAAA4', 'AAAAA3', 'AAAAA2', 'AAAAA1']);
      expect(await ids({})).toEqual(['AAAAA1', 'BBBBB1', 'AAAAA2', 'AAAAA3', 'AAAAA4']);
      expect(await ids({}, 'beta')).toEqual(['CCCCC1']);
    });

    it('pages and filters', async () => {
      for (let index = 0; index < 9; index += 1) {
        await store.add(
          'alpha',
          waMessage({ id: `AAAAA${index}`, timestamp: index * 10, fromMe: index % 2 === 0, ack: 1 }),
          1,
        );
      }
      await store.raiseAck('alpha', 'AAAAA3', 3);
      expect(await ids({ chatId: CHAT, limit: 3, offset: 2 })).toEqual(['AAAAA2', 'AAAAA3', 'AAAAA4']);
      expect(await ids({ chatId: CHAT, limit: 3, offset: 8 })).toEqual(['AAAAA8']);
      expect(await ids({ chatId: CHAT, limit: 3, offset: 20 })).toEqual([]);
      expect(await ids({ chatId: CHAT, timestampFrom: 20, timestampTo: 40 })).toEqual(['AAAAA2', 'AAAAA3', 'AAAAA4']);
      expect(await ids({ chatId: CHAT, timestampFrom: 50, timestampTo: 40 })).toEqual([]);
      expect(await ids({ chatId: CHAT, fromMe: false, limit: 2, offset: 1 })).toEqual(['AAAAA3', 'AAAAA5']);
      expect(await ids({ chatId: CHAT, ack: 3 })).toEqual(['AAAAA3']);
    });

    it('clears one session, also of what has no message yet', async () => {
      for (let index = 0; index < 60; index += 1) await store.add('alpha', waMessage({ id: `AAAAA${index}` }), 1);
      await store.raiseAck('alpha', 'BBBBB1', 3);
      await store.add('beta', waMessage({ id: 'AAAAA1' }), 1);
      await store.clear('alpha');
      expect(await ids({})).toEqual([]);
      await store.add('alpha', waMessage({ id: 'BBBBB1', ack: 1 }), 1);
      expect(await store.get('alpha', 'BBBBB1')).toMatchObject({ ack: 1 });
      expect(await ids({}, 'beta')).toEqual(['AAAAA1']);
    });
  });
}
