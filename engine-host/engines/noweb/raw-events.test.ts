import { proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import type { EngineEvent } from '../engine.ts';
import { RawEvents } from './raw-events.ts';

function setUp(wanted = true) {
  const events: EngineEvent[] = [];
  const published: (() => void)[] = [];
  const raw = new RawEvents({
    wanted: () => wanted,
    now: () => 5_000,
    emit: (event, done) => {
      events.push(event);
      published.push(done);
    },
  });
  const payloads = () => events.flatMap(({ body }) => (body.event === 'engine.event' ? [body.payload] : []));
  return { raw, events, payloads, published };
}

describe('raw events', () => {
  test('are told only when somebody has asked for them', () => {
    const { raw, events } = setUp(false);
    raw.tell('messages.upsert', { type: 'notify' });
    expect(events).toEqual([]);
  });

  test('say what Baileys says, in JSON', () => {
    const { raw, payloads, events } = setUp();
    const message = proto.Message.fromObject({ conversation: 'hi', messageContextInfo: { messageSecret: 'AQID' } });
    const bytes = { buffer: Buffer.from([1, 2, 3]), array: Uint8Array.of(1, 2, 3), big: 5n };
    raw.tell('messages.upsert', { message, bytes, error: new Error('no'), conditional: () => true });
    raw.tell('messages.upsert', {});
    expect(payloads()[0]).toEqual({
      event: 'messages.upsert',
      data: {
        message: { conversation: 'hi', messageContextInfo: { messageSecret: 'AQID' } },
        bytes: { buffer: 'AQID', array: 'AQID', big: '5' },
        error: 'no',
      },
    });
    expect(new Set(events.map(({ key }) => key)).size).toBe(2);
  });

  test('never have keys of the account in them', () => {
    const { raw, payloads } = setUp();
    raw.tell('creds.update', { noiseKey: 'secret' });
    raw.tell('connection.update', { qr: 'secret', isNewLogin: true });
    const protocolMessage = { appStateSyncKeyShare: { keys: ['secret'] }, type: 6 };
    raw.tell('messages.upsert', { messages: [{ message: { protocolMessage } }] });
    expect(payloads().map(({ event }) => event)).toEqual(['connection.update', 'messages.upsert']);
    expect(JSON.stringify(payloads())).not.toContain('secret');
  });

  test('are bounded: each in size, and all that the bus has not taken in number', () => {
    const { raw, payloads, published } = setUp();
    raw.tell('messaging-history.set', { text: 'x'.repeat(200_000) });
    const loop: { self?: unknown } = {};
    loop.self = loop;
    raw.tell('loop', loop);
    expect(payloads().map(({ data }) => data)).toEqual([{ omitted: 200_011 }, { omitted: 0 }]);
    for (let n = 0; n < 1_000; n += 1) raw.tell('presence.update', n);
    expect(payloads()).toHaveLength(500);
    published[0]?.();
    raw.tell('presence.update', 1);
    raw.tell('presence.update', 2);
    expect(payloads()).toHaveLength(501);
  });
});
