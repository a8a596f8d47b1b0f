import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Listener } from '#localstack/embedded/loopback-listener.ts';
import { EventBridgeStub } from '#test/contracts/event-bridge-stub.ts';
import { sessionRow } from '#test/contracts/rows.ts';
import { DependencyError } from '../domain/errors.ts';
import { EventBridgeSessionSignals } from './event-bridge-session-signals.ts';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

let bridge: EventBridgeStub;
let listener: Listener;
let client: EventBridgeClient;
let signals: EventBridgeSessionSignals;

beforeEach(async () => {
  bridge = new EventBridgeStub();
  listener = await bridge.listen();
  client = new EventBridgeClient({ region: 'us-east-1', credentials, endpoint: listener.url, maxAttempts: 1 });
  signals = new EventBridgeSessionSignals(client);
});
afterEach(async () => {
  client.destroy();
  await listener.close();
});

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
