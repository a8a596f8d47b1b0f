import { proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { TestJob } from '../engine-harness.ts';
import { MemorySessionState } from '../memory-session-state.ts';
import type { LiveAccount } from './handlers/handler-context.ts';
import { MarkedState } from './marked-state.ts';
import { chatOf } from './noweb-world.ts';
import { Proofs } from './proofs.ts';
import { Sender, type SentMessage } from './sender.ts';
import { ServerAcks } from './server-acks.ts';

const ANN = '4915100000001@s.whatsapp.net';

/** @param asked called when the account asks for the recipient's devices, before the answer comes */
function setUp(asked: (proofs: Proofs, id: string) => void) {
  const proofs = new Proofs(new MarkedState(new MemorySessionState()));
  const acks = new ServerAcks();
  const job = new TestJob('s', 'job', new Map());
  const frames: string[] = [];
  const sent: SentMessage[] = [];
  const sock = {
    getUSyncDevices: async () => {
      asked(proofs, job.messageId);
      return [{ user: '4915100000001', device: 0 }];
    },
    relayMessage: async (jid: string) => {
      frames.push(jid);
      acks.proven(job.messageId, 9);
    },
  };
  const groupMemory = {
    during: async (_keys: unknown, _jid: string, send: () => Promise<void>) => {
      await send();
      return async () => {};
    },
  };
  // No more of the account than a send to one person touches.
  const live = { sock, keys: { groupMemory }, meJid: '4915199999999@s.whatsapp.net' } as unknown as LiveAccount;
  const sender = new Sender({
    context: { assertOwned: () => {}, clock: { now: () => Date.now(), monotonic: () => performance.now() } },
    acks,
    resends: { leaving: () => {} },
    ackTimeoutMs: 1_000,
    mended: async () => live,
    proofs,
    sent: async (message) => void sent.push(message),
  });
  return { sender, proofs, job, frames, sent };
}

test('a first try is sent whatever is known of another message with its id', async () => {
  const { sender, proofs, job, frames } = setUp(() => {});
  proofs.leaving(job.messageId, undefined);
  proofs.receipt(job.messageId, 5);
  await sender.send(chatOf('4915100000001'), job, async () => ({ content: { text: 'another' } }));
  expect(frames).toEqual([ANN]);
});

describe('the job of a message that may have left', () => {
  const content = proto.Message.encode({ conversation: 'once' }).finish();

  async function sendAgain(asked: Parameters<typeof setUp>[0]) {
    const { sender, proofs, job, frames, sent } = setUp(asked);
    proofs.leaving(job.messageId, undefined);
    job.frozen = { content };
    const outcome = await sender.send(chatOf('4915100000001'), job, async () => ({ content: { text: 'once' } }));
    return { outcome, frames, told: sent.map(({ jid, timestamp }) => ({ jid, timestamp })) };
  }

  test('sends it again while nothing proves that it has', async () => {
    const again = await sendAgain(() => {});
    expect(again).toEqual({
      outcome: { kind: 'sent', timestamp: 9 },
      frames: [ANN],
      told: [{ jid: ANN, timestamp: 9 }],
    });
  });

  test('does not when a receipt comes while the recipient is looked up', async () => {
    const again = await sendAgain((proofs, id) => proofs.receipt(id, 5));
    expect(again).toEqual({ outcome: { kind: 'sent', timestamp: 5 }, frames: [], told: [{ jid: ANN, timestamp: 5 }] });
  });
});
