import { pino } from 'pino';
import { expect, vi } from 'vitest';
import { LocalDataKeys } from '#shared/adapters/local-data-keys.ts';
import { MemoryCheckpointStore } from '#shared/adapters/memory/memory-checkpoint-store.ts';
import { MemoryEventBus } from '#shared/adapters/memory/memory-event-bus.ts';
import { MemoryEventLog } from '#shared/adapters/memory/memory-event-log.ts';
import { MemoryJobStore } from '#shared/adapters/memory/memory-job-store.ts';
import { MemoryJournalBodyStore } from '#shared/adapters/memory/memory-journal-body-store.ts';
import { MemoryJournalStore } from '#shared/adapters/memory/memory-journal-store.ts';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import { MemoryMessageStore } from '#shared/adapters/memory/memory-message-store.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import type { SessionIntent } from '#shared/ports/session-store.ts';
import { LoggedEventBus } from '../host/logged-event-bus.ts';
import { ManualLease } from '../host/manual-lease.ts';
import { EventPublisher } from './event-publisher.ts';
import { FakeEngineFactory } from './fake-engine.ts';
import { sessionRow } from './row-fixtures.ts';
import { SessionRunner } from './session-runner.ts';
import { type StateStores, storedState } from './stored-state.ts';

const logger = pino({ level: 'silent' });

export async function createWorld(changes: Partial<SessionRow> = {}) {
  const sessions = new MemorySessionStore();
  await sessions.create(sessionRow(changes));
  const world = {
    sessions,
    eventLog: new MemoryEventLog(),
    bus: new MemoryEventBus(),
    checkpoints: new MemoryCheckpointStore(),
    journal: new MemoryJournalStore(),
    journalBodies: new MemoryJournalBodyStore(),
    dataKeys: new LocalDataKeys(new Uint8Array(32)),
    messages: new MemoryMessageStore(),
    jobs: new MemoryJobStore(),
    media: new MemoryMediaStore(),
    factory: new FakeEngineFactory(),
    /** What each status event found in the row when it was published. */
    told: [] as { event: string; row: string | undefined }[],
  };
  const target = async (event: MemoryEventBus['events'][number]) => {
    if (event.event !== 'session.status') return;
    world.told.push({ event: event.payload.status, row: (await sessions.get('alpha'))?.status });
  };
  return { ...world, bus: new MemoryEventBus({ target }) };
}
export type World = Awaited<ReturnType<typeof createWorld>>;

export function createRunner(world: World, lease = new ManualLease()) {
  const gone = vi.fn();
  const runner = new SessionRunner(
    { name: 'alpha', lease, logger, onWorking: () => {}, onGone: gone },
    {
      ...world,
      hostId: 'host-1',
      version: '1.0.0',
      publicUrl: 'https://wa.example.com',
      clock: systemClock,
      checkpointInterval: 900_000,
      publishPatience: 20_000,
      remoteFiles: { fetch: () => Promise.reject(new DependencyError('no network in tests')) },
      readModels: [world.messages],
      publisher: new EventPublisher(new LoggedEventBus(world.eventLog, world.bus), logger),
      engines: new Map([['SCRIPTED', world.factory]]),
      startTurn: (start) => start(),
      onceMayConnect: (callback) => {
        callback();
        return () => {};
      },
      pacingProfile: 'off',
    },
  );
  const intend = async (intent: SessionIntent) => {
    await world.sessions.intend('alpha', 'one', intent);
    runner.wake();
    await runner.settled();
  };
  return { runner, lease, gone, intend };
}

export async function started(changes: Partial<SessionRow> = {}) {
  const world = await createWorld(changes);
  const place = createRunner(world);
  place.runner.wake();
  await place.runner.settled();
  return { ...world, ...place, world };
}

export async function working(changes: Partial<SessionRow> = {}) {
  const session = await started(changes);
  session.factory.last.context.state.append([{ key: 'creds', value: Uint8Array.of(7) }]);
  session.factory.last.work();
  await vi.waitFor(() => expect(session.told.at(-1)?.event).toBe('WORKING'));
  return session;
}

/** Nothing runs it until somebody wants something. */
export async function stopped() {
  const world = await createWorld({ desired: 'STOPPED', status: 'STOPPED' });
  return { ...world, ...createRunner(world), world };
}

export const rowOf = async ({ sessions }: Pick<World, 'sessions'>) => sessions.get('alpha');
export const statuses = ({ told }: Pick<World, 'told'>) => told.map(({ event }) => event);

export async function stored(world: Pick<World, 'sessions'> & StateStores) {
  const row = await rowOf(world);
  return row && (await storedState(row, world));
}

/** Positions and kinds of what is in the session's journal. */
export async function journalOf({ journal }: Pick<World, 'journal'>) {
  const records: string[] = [];
  for await (const { lsn, kind } of journal.read({ name: 'alpha', incarnation: 'one' }, 1))
    records.push(`${lsn} ${kind}`);
  return records;
}
