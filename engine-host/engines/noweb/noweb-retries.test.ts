import { proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import type { ChatId } from '#shared/domain/chat-id.ts';
import { type EngineHarness, eventually } from '../engine-harness.ts';
import { chatOf, useNowebWorld } from './noweb-world.ts';

/** So long that a host can be gone before it is asked. */
const receiptDelayMs = 150;
const world = useNowebWorld({ receiptDelayMs });

const pendingOf = (phone: string) =>
  world.simulator
    .accounts()
    .find((account) => account.phone === phone)
    ?.devices.reduce((sum, { pending }) => sum + pending, 0);

let scenes = 0;

/** A session in a group with Mallory and Ben, to whom it has written before. */
async function scene(addressing: 'lid' | 'pn' = 'lid') {
  const { harness, phone: own, run } = await world.paired();
  scenes += 1;
  const [mallory, ben] = [world.contact(`Mallory ${scenes}`), world.contact(`Ben ${scenes}`)];
  const { simulator } = world;
  const participants = [own, ben.phone];
  const { id } = simulator.createGroup({ owner: mallory.phone, subject: 'Garden', participants, addressing });
  await harness.event('group.v2.join');
  const group = chatOf(id);
  await run({ type: 'sendText', chatId: ben.chatId, text: 'hello' });
  /** Has somebody ask for a message. @returns how many the session has sent until it was done with the question */
  const asked = async (phone: string, request: Parameters<typeof simulator.askAgain>[2]): Promise<number> => {
    const { messagesIn } = simulator.stats();
    await simulator.askAgain(phone, own, request);
    await new Promise((resolve) => setTimeout(resolve, receiptDelayMs + 50));
    await eventually('the ack of the question', () => pendingOf(own) === 0 || undefined);
    return simulator.stats().messagesIn - messagesIn;
  };
  return { harness, own, run, mallory, ben, group, asked };
}

/** As the read model has it. */
function known(harness: EngineHarness, id: string, text: string, sentTo?: ChatId) {
  harness.sent.set(id, proto.Message.encode({ conversation: text }).finish());
  if (sentTo) harness.sentTo.set(id, sentTo);
}

const textsOf = async (phone: string) => (await world.simulator.inbox(phone)).map(({ text }) => text);

describe('a device that asks for a message again', () => {
  test.each([
    ['of ours, by number', 'pn', false],
    ['of ours, by LID', 'lid', false],
    ['of ours in a group by number', 'pn', true],
    ['of ours in a group by LID', 'lid', true],
  ] as const)('gets it: %s', async (_, addressing, inGroup) => {
    const { harness, run, ben, group, asked } = await scene(addressing);
    const job = harness.job('asked for');
    await run({ type: 'sendText', chatId: inGroup ? group : ben.chatId, text: 'just now' }, job);
    const request = { addressing, ...(inGroup && { group }) };
    expect(await asked(ben.phone, { id: job.messageId, ...request })).toBe(1);
    known(harness, 'OURS0001', 'long ago', inGroup ? group : ben.chatId);
    expect(await asked(ben.phone, { id: 'OURS0001', ...request })).toBe(1);
    await expect.poll(() => textsOf(ben.phone)).toContain('long ago');
  });

  test.each(['chat', 'LID', 'group'] as const)('gets it from the next host: in a %s', async (place) => {
    const { harness, run, ben, group } = await scene();
    const chatId = { chat: ben.chatId, LID: chatOf(`${ben.lid}@lid`), group }[place];
    world.simulator.forgetSessions(ben.phone);
    const job = harness.job('host dies');
    await run({ type: 'sendText', chatId, text: 'unreadable at first' }, job);
    await harness.engine.stop();
    const next = world.session({}, { state: harness.state });
    known(next, job.messageId, 'unreadable at first', place === 'group' ? group : ben.chatId);
    expect(await textsOf(ben.phone)).not.toContain('unreadable at first');
    next.engine.start();
    await expect.poll(() => textsOf(ben.phone), { timeout: 10_000 }).toContain('unreadable at first');
  });

  test('does not have us say what somebody else has said: in a chat of her own, or in the group', async () => {
    const { harness, own, mallory, ben, group, asked } = await scene();
    const { simulator } = world;
    const text = 'I owe Mallory a million';
    const { id } = await simulator.send(mallory.phone, { to: own, text });
    const { id: inGroup } = await simulator.send(mallory.phone, { to: group, text });
    await harness.event('message', ({ key }) => key.includes(inGroup));
    for (const each of [id, inGroup]) known(harness, each, text);
    expect(await asked(mallory.phone, { id, group })).toBe(0);
    expect(await asked(mallory.phone, { id: inGroup, group })).toBe(0);
    expect(await asked(mallory.phone, { id })).toBe(0);
    const heard = (await simulator.inbox(ben.phone)).filter((entry) => entry.text === text);
    expect(heard.map(({ from }) => from)).toEqual([`${mallory.phone}@s.whatsapp.net`]);
  });

  test('does not get what we have said elsewhere', async () => {
    const { harness, run, mallory, ben, group, asked } = await scene();
    const job = harness.job('secret');
    await run({ type: 'sendText', chatId: ben.chatId, text: 'between us' }, job);
    known(harness, 'OURS0002', 'between us, long ago', ben.chatId);
    for (const id of [job.messageId, 'OURS0002']) {
      expect(await asked(mallory.phone, { id })).toBe(0);
      expect(await asked(mallory.phone, { id, addressing: 'lid' })).toBe(0);
      expect(await asked(mallory.phone, { id, group })).toBe(0);
    }
    expect(await textsOf(mallory.phone)).toEqual([]);
  });
});
