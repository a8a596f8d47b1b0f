import { pino } from 'pino';
import { createHeartbeatClient } from '#shared/adapters/aws-clients.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { HostIncarnation } from '../../host-incarnation.ts';
import { isLost } from '../../lease.ts';
import { InThreadHeartbeat } from '../in-thread-heartbeat.ts';
import { WorkerHeartbeat } from '../worker-heartbeat.ts';
import { TABLES } from './tables.ts';
import { BUSY_MS, EVERY_MS, STALL_AFTER_MS, SUSPEND_AFTER_MS } from './timings.ts';

/** A host with a lease and nothing to do, whose event loop turns, or does not, as its argument says. A program for tests. */
const [mode] = process.argv.slice(2);
const logger = pino({ level: 'silent' });
const store = new DynamoDbOwnershipStore(createHeartbeatClient(), TABLES);
const fail = (error: Error): never => {
  throw error;
};
const heartbeat =
  mode === 'busy-in-thread'
    ? new InThreadHeartbeat({ store, clock: systemClock, every: EVERY_MS })
    : new WorkerHeartbeat({
        program: new URL('../main.ts', import.meta.url),
        tables: TABLES,
        every: EVERY_MS,
        stallAfter: mode === 'hanging' ? STALL_AFTER_MS : 10 * BUSY_MS,
        logger,
        onBroken: fail,
      });
const identity = { hostId: 'host-1', incarnation: 'one', rvn: 1 };
const news = { load: 0, state: 'ACTIVE' } as const;
const sentAt = systemClock.monotonic();
await store.register({ ...identity, ...news, pool: 'socket', startedAt: 0, ttl: 0 }, undefined);
const beats = Promise.withResolvers<void>();
const host = new HostIncarnation(
  { ...identity, sentAt, news },
  {
    heartbeat: {
      begin: (registration, events) =>
        heartbeat.begin(registration, {
          ...events,
          good: () => {
            events.good();
            beats.resolve();
          },
        }),
    },
    clock: systemClock,
    suspendAfter: SUSPEND_AFTER_MS,
    logger,
  },
);
const lease = host.lease('socket-00', 1, async () => {});
await beats.promise;

function stateOfLease(): 'owner' | 'suspended' | 'lost' {
  try {
    lease.assertOwned();
    return 'owner';
  } catch (error) {
    return isLost(error) ? 'lost' : 'suspended';
  }
}

function beBusy(ms: number): void {
  const until = systemClock.monotonic() + ms;
  while (systemClock.monotonic() < until);
}

switch (mode) {
  case 'busy':
  case 'busy-in-thread':
    beBusy(BUSY_MS);
    process.stdout.write(`after: ${stateOfLease()}\n`);
    break;
  case 'hanging':
    beBusy(Number.POSITIVE_INFINITY);
    break;
  default:
    // Without a pause in which it could learn anything by message: what the memory says must be enough.
    for (let state = stateOfLease(); state !== 'lost'; state = stateOfLease()) {
      if (state === 'owner') process.stdout.write(`acted ${systemClock.monotonic()}\n`);
      beBusy(5);
    }
    process.stdout.write('lost\n');
}
process.exit(0);
