import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startDynamoDb } from '#localstack/embedded/dynamodb.ts';
import type { Listener } from '#localstack/embedded/loopback-listener.ts';
import { type AwsClients, createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { MemoryOwnershipStore } from '#shared/adapters/memory/memory-ownership-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { type FaultProxy, startFaultProxy } from '#test/chaos/fault-proxy.ts';
import { seeded } from '#test/chaos/random.ts';
import { runProgram } from '#test/support/program.ts';
import { observe, type Sightings, silentHosts } from '../host-liveness.ts';
import { defineHeartbeatContract } from './heartbeat-contract.ts';
import { InThreadHeartbeat } from './in-thread-heartbeat.ts';
import { TABLES } from './test-support/tables.ts';
import { DEAD_AFTER_MS } from './test-support/timings.ts';
import { WorkerHeartbeat } from './worker-heartbeat.ts';

const HEARTBEAT_WORKER = new URL('./main.ts', import.meta.url);
const MORTAL_WORKER = new URL('./test-support/mortal-worker.ts', import.meta.url);
const EVERY_MS = 20;
let dynamo: Listener;
let proxy: FaultProxy;
let clients: AwsClients;

beforeAll(async () => {
  dynamo = await startDynamoDb();
  proxy = await startFaultProxy('dynamodb', seeded(1));
  proxy.forwardTo(dynamo.url);
  const credentials = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };
  Object.assign(process.env, credentials, { AWS_ENDPOINT_URL_DYNAMODB: dynamo.url });
  clients = createAwsClients({ pathStyle: true });
  await clients.dynamo.send(
    new CreateTableCommand({
      TableName: TABLES.hosts,
      KeySchema: [{ AttributeName: 'hostId', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'hostId', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  // What is made from here on, the workers' clients, goes through the proxy.
  process.env.AWS_ENDPOINT_URL_DYNAMODB = proxy.url;
});
afterAll(async () => {
  destroyAwsClients(clients);
  await proxy.close();
  await dynamo.close();
});

async function emptyTable(): Promise<DynamoDbOwnershipStore> {
  const store = new DynamoDbOwnershipStore(clients.dynamo, TABLES);
  for (const { hostId, incarnation } of await store.hosts()) await store.deregister(hostId, incarnation);
  return store;
}

function inWorker(onBroken: (error: Error) => void, program = HEARTBEAT_WORKER): WorkerHeartbeat {
  const logger = pino({ level: 'silent' });
  return new WorkerHeartbeat({ tables: TABLES, every: EVERY_MS, stallAfter: 60_000, logger, onBroken, program });
}

defineHeartbeatContract('in its caller’s thread', async () => {
  const store = new MemoryOwnershipStore();
  let isInterrupted = false;
  const interruptible = {
    heartbeat: (...args: Parameters<MemoryOwnershipStore['heartbeat']>) =>
      isInterrupted ? Promise.reject(new DependencyError('no answer')) : store.heartbeat(...args),
  };
  return {
    heartbeat: new InThreadHeartbeat({ store: interruptible, clock: systemClock, every: EVERY_MS }),
    store,
    now: systemClock.monotonic,
    interrupt: (interrupted) => {
      isInterrupted = interrupted;
    },
    close: async () => {},
  };
});

defineHeartbeatContract('in a worker thread', async () => {
  const store = await emptyTable();
  const heartbeat = inWorker((error) => {
    throw error;
  });
  return {
    heartbeat,
    store,
    now: systemClock.monotonic,
    interrupt: (interrupted) => proxy.inject(interrupted ? { failure: 'fail', rate: 1, delayMs: 0 } : undefined),
    close: () => heartbeat.close(),
  };
});

describe('a worker’s end', () => {
  const registration = {
    hostId: 'host-1',
    incarnation: 'one',
    rvn: 1,
    sentAt: systemClock.monotonic(),
    news: { load: 4, state: 'ACTIVE' },
  } as const;
  const silent = { good: () => {}, lost: () => {}, failed: () => {} };

  it('is followed by another worker, which goes on with what was said and counts on', async () => {
    const store = await emptyTable();
    await store.register(
      { ...registration, load: 0, state: 'ACTIVE', pool: 'socket', startedAt: 0, ttl: 0 },
      undefined,
    );
    const broken: Error[] = [];
    const heartbeat = inWorker((error) => broken.push(error), MORTAL_WORKER);
    const pulse = heartbeat.begin(registration, silent);
    pulse.say({ load: 5, state: 'ACTIVE' });
    // Each worker dies after two heartbeats.
    await vi.waitFor(async () => expect((await store.hosts())[0]?.rvn).toBeGreaterThan(8), { timeout: 25_000 });
    expect(await store.hosts()).toMatchObject([{ load: 5, state: 'ACTIVE' }]);
    expect(broken).toEqual([]);
    await heartbeat.close();
  });

  it('is the end of the host when no worker gets a heartbeat through', async () => {
    const broken: Error[] = [];
    const heartbeat = inWorker((error) => broken.push(error), new URL('data:text/javascript,throw new Error("no")'));
    heartbeat.begin(registration, silent);
    await vi.waitFor(() => expect(broken).toHaveLength(1), { timeout: 10_000 });
    await heartbeat.close();
  });
});

describe('a host that does not turn', { timeout: 60_000 }, () => {
  const host = (mode: string) =>
    runProgram('engine-host/host/heartbeat/test-support/turning-host.ts', [mode], {
      ...Object.fromEntries(
        ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map((name) => [name, 'local']),
      ),
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.url,
    });

  it('is still the owner after it was busy for longer than others wait, only with its heartbeat in a worker', async () => {
    for (const [mode, outcome] of [
      ['busy', 'owner'],
      ['busy-in-thread', 'suspended'],
    ] as const) {
      await emptyTable();
      const program = host(mode);
      expect((await program.prints(/after: (.*)/))[1]).toBe(outcome);
      expect(await program.exited).toBe(0);
    }
  });

  it('does nothing more when it was stopped until others declared it dead', async () => {
    const store = await emptyTable();
    const program = host('acting');
    await program.prints(/acted/);
    program.kill('SIGSTOP');
    await declaredDead(store);
    const goesOnAt = systemClock.monotonic();
    program.kill('SIGCONT');
    await program.prints(/lost/);
    expect(await program.exited).toBe(0);
    const acts = [...program.stdout.matchAll(/acted (.*)/g)].map(([, at]) => Number(at));
    expect(acts.length).toBeGreaterThan(0);
    expect(acts.filter((at) => at >= goesOnAt)).toEqual([]);
  });

  it('ends itself when it hangs, so that another takes over', async () => {
    const store = await emptyTable();
    const program = host('hanging');
    expect(await program.exited).toBeNull();
    expect(program.stderr).toContain('does not turn any more');
    await declaredDead(store);
  });

  /** As another host would do it. */
  async function declaredDead(store: DynamoDbOwnershipStore): Promise<void> {
    let seen: Sightings = new Map();
    await vi.waitFor(
      async () => {
        const readAt = systemClock.monotonic();
        const hosts = await store.hosts();
        seen = observe(seen, hosts, systemClock.monotonic());
        const [silent] = silentHosts(seen, hosts, readAt, DEAD_AFTER_MS);
        if (silent === undefined) throw new Error('it is not silent');
        expect(await store.declareDead(silent.hostId, silent.incarnation, silent.rvn)).toBe(true);
      },
      { timeout: 30_000, interval: 20 },
    );
  }
});
