import { afterEach, beforeEach, expect, it } from 'vitest';
import { EventBridgeStub } from '#test/contracts/event-bridge-stub.ts';
import { sessionRow } from '#test/contracts/rows.ts';
import { DependencyError } from '../domain/errors.ts';
import { EventBridgeSessionSignals } from './event-bridge-session-signals.ts';

let bridge: EventBridgeStub;
let signals: EventBridgeSessionSignals;

beforeEach(async () => {
  bridge = await EventBridgeStub.start();
  signals = new EventBridgeSessionSignals(bridge.client);
});
afterEach(() => bridge.close());

it('tells which session wants a host, and since when', async () => {
  await signals.wanted(sessionRow({ name: 'alpha', updatedAt: 7_000 }));
  expect(bridge.details).toEqual([{ session: 'alpha', shard: 'socket-00', pool: 'socket', at: 7_000 }]);
});

it('says so when the bus does not take it', async () => {
  bridge.refuse = 'call';
  await expect(signals.wanted(sessionRow())).rejects.toBeInstanceOf(DependencyError);
  bridge.refuse = 'entries';
  await expect(signals.wanted(sessionRow())).rejects.toBeInstanceOf(DependencyError);
});
