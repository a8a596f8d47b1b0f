import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShardLease } from '#engine-host/host/lease.ts';
import { LoggedEventBus } from '#engine-host/host/logged-event-bus.ts';
import { EventPublisher } from '#engine-host/sessions/event-publisher.ts';
import { DynamoDbEventLog } from '#shared/adapters/dynamodb-event-log.ts';
import { MemoryEventBus } from '#shared/adapters/memory/memory-event-bus.ts';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import { TABLES } from '#shared/contracts/resources.ts';
import { createLogger } from '#shared/observability/logger.ts';
import { type AwsBacking, startAwsBacking } from './aws-backing.ts';
import { eventEnvelope } from './events.ts';
import { waMessage } from './rows.ts';

let aws: AwsBacking;
beforeAll(async () => {
  aws = await startAwsBacking();
});
afterAll(() => aws?.close());

const message = (seq: number) =>
  eventEnvelope(
    { event: 'message', payload: waMessage({ id: `AAAAA${seq}` }) },
    { id: `evt_${seq}`, session: 'alpha', seq },
  );
const lease: ShardLease = {
  shard: 'socket-0',
  epoch: 1,
  ended: new AbortController().signal,
  assertOwned: () => {},
  usable: async () => {},
  confirm: async () => {},
};

describe('a bus that refuses single events', () => {
  it.each([[1], [2], [3], [1, 3], [2, 3]])('hides nothing from a reader that is behind: %s', async (...refused) => {
    const log = new DynamoDbEventLog(aws.clients.dynamo, new MemoryMediaStore(), {
      tableName: await aws.createTable(TABLES.eventLog),
    });
    const once = new Set(refused);
    const bus = new MemoryEventBus();
    bus.refuse(({ seq }) => once.delete(seq));
    const publisher = new EventPublisher(new LoggedEventBus(log, bus), createLogger({ name: 'test', level: 'silent' }));
    const lane = publisher.lane(lease);
    for (const seq of [1, 2, 3, 4]) lane.submit(message(seq));
    await lane.drained();
    expect(bus.events.map(({ seq }) => seq).sort()).toEqual([1, 2, 3, 4]);
    for (const after of [0, 1, 2, 3, 4]) {
      const found = await log.read('alpha', after, 100);
      expect(found.map(({ envelope: { seq } }) => seq)).toEqual([1, 2, 3, 4].slice(after));
    }
  });
});
