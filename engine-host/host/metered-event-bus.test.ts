import { expect, it } from 'vitest';
import { MemoryEventBus } from '#shared/adapters/memory/memory-event-bus.ts';
import type { EventBody } from '#shared/contracts/events.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { MeteredEventBus } from './metered-event-bus.ts';

const ack = (number: number) =>
  eventEnvelope({
    event: 'message.ack',
    payload: { id: 'a', from: 'b', to: 'c', participant: null, fromMe: true, ack: number, ackName: '' },
  });
const message = (event: 'message' | 'message.any', fromMe: boolean, source: 'api' | 'app') =>
  eventEnvelope({ event, payload: { ...waMessage({ id: 'AAAAA1', fromMe }), source } });
type Status = Extract<EventBody, { event: 'session.status' }>['payload'];
const status = (word: Status['status'], reason?: string) => {
  const data = reason === undefined ? null : { reason };
  return eventEnvelope({ event: 'session.status', payload: { name: 'alpha', status: word, statuses: [], data } });
};

it('counts what has come and gone, once', async () => {
  const bus = new MeteredEventBus(new MemoryEventBus());
  await bus.publish([
    message('message', false, 'app'),
    message('message.any', false, 'app'),
    message('message.any', true, 'api'),
    message('message.any', true, 'app'),
    ack(2),
    ack(-1),
    status('STARTING'),
    status('WORKING'),
    status('FAILED', 'pairing-unproven'),
    status('FAILED', 'banned'),
    status('STARTING', 'server-identity'),
    status('STARTING', 'server-identity-clock'),
  ]);
  const sends = { messagesIn: 1, messagesOut: 1, sendFailures: 1 };
  expect(bus.take()).toEqual({ ...sends, sessionStarts: 3, sessionFailures: 2, sessionsDistrusting: 3 });
  expect(Object.values(bus.take())).toEqual([0, 0, 0, 0, 0, 0]);
});

it('counts only what the bus has accepted, and hands its answer on', async () => {
  const inner = new MemoryEventBus();
  const bus = new MeteredEventBus(inner);
  inner.refuse(({ event }) => event === 'message.ack');
  expect(await bus.publish([ack(-1), message('message', false, 'app')])).toEqual([0]);
  inner.refuse('call');
  await expect(bus.publish([message('message', false, 'app')])).rejects.toThrow();
  expect(bus.take()).toMatchObject({ messagesIn: 1, sendFailures: 0 });
});
