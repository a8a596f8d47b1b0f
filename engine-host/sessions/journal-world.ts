import { pino } from 'pino';
import { LocalDataKeys } from '#shared/adapters/local-data-keys.ts';
import { MemoryCheckpointStore } from '#shared/adapters/memory/memory-checkpoint-store.ts';
import { MemoryEventBus } from '#shared/adapters/memory/memory-event-bus.ts';
import { MemoryEventLog } from '#shared/adapters/memory/memory-event-log.ts';
import { MemoryJournalBodyStore } from '#shared/adapters/memory/memory-journal-body-store.ts';
import { MemoryJournalStore } from '#shared/adapters/memory/memory-journal-store.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import type { JournalRecord, JournalStore } from '#shared/ports/journal-store.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';
import type { CheckpointStore } from '#shared/ports/state-store.ts';
import { whileOwned } from '../host/lease.ts';
import { ManualLease } from '../host/manual-lease.ts';
import { EventPublisher } from './event-publisher.ts';
import type { JournaledState } from './journaled-state.ts';
import { openSession } from './open-session.ts';
import { sessionRow } from './row-fixtures.ts';
import { SessionReporter } from './session-reporter.ts';

/** What happens to a call: it works, fails before or after its effect, or its effect comes after the caller gave up. */
export type Fate = 'works' | 'fails' | 'answer-lost' | 'comes-late';

interface ParkedCall {
  readonly owner: Owner | undefined;
  readonly run: (fate: Fate) => Promise<void>;
}

export type View = Readonly<Record<string, string>>;

/** One who believes to own the session, for as long as nothing tells otherwise. */
export interface Owner {
  readonly epoch: number;
  readonly lease: ManualLease;
  /** Its state after each of its appends; first as it was restored. Empty until then. */
  readonly views: View[];
  /** Number of its appends that it was told to be durable. */
  durable: number;
  state: JournaledState | undefined;
  closing: boolean;
  dead: boolean;
  failure: unknown;
}

const PAGE = 2;
const CHECKPOINT_AFTER_MS = 60_000;
const logger = pino({ level: 'silent' });

/**
 * Stores whose every call waits until a test lets it happen, in the order and with the fate that the test chooses, and
 * owners of one session that use them at the same time. Timers must be faked.
 */
export class JournalWorld {
  readonly owners: Owner[] = [];
  readonly #sessions = new MemorySessionStore();
  readonly #journal = new MemoryJournalStore();
  readonly #checkpoints = new MemoryCheckpointStore();
  readonly #bodies = new MemoryJournalBodyStore();
  readonly #keys = new LocalDataKeys(new Uint8Array(32));
  readonly #publisher = new EventPublisher(new MemoryEventBus(), logger);
  #parked: ParkedCall[] = [];
  #values = 0;

  async begin(): Promise<void> {
    await this.#sessions.create(sessionRow());
  }

  get parked(): number {
    return this.#parked.length;
  }

  /**
   * Somebody opens the session; the others are not told.
   * @param again under the newest owner's epoch, if that one has opened it or is dead
   */
  takeOver(again = false): Owner {
    const newest = this.owners.at(-1);
    const mayRepeat = newest !== undefined && (newest.state !== undefined || newest.dead);
    const epoch = (newest?.epoch ?? 0) + (again && mayRepeat ? 0 : 1);
    const lease = new ManualLease('socket-00', epoch);
    const owner: Owner = {
      epoch,
      lease,
      views: [],
      durable: 0,
      state: undefined,
      closing: false,
      dead: false,
      failure: undefined,
    };
    this.owners.push(owner);
    const sessions = this.#sessionsOf(owner);
    const open = async () => {
      const row = await whileOwned(
        lease,
        () => sessions.get('alpha'),
        () => {},
      );
      if (row === undefined) throw new Error('no row');
      const { state } = await openSession(row, {
        lease,
        sessions,
        journal: this.#journalOf(owner),
        checkpoints: this.#checkpointsOf(owner),
        journalBodies: this.#bodies,
        eventLog: new MemoryEventLog(),
        dataKeys: this.#keys,
        publisher: this.#publisher,
        engines: new Map(),
        reporter: new SessionReporter({
          lease,
          write: (report) => sessions.report('alpha', 'one', epoch, report),
          onFailure: () => {},
        }),
        hostId: `host-${epoch}`,
        version: '1.0.0',
        publicUrl: 'https://wa.example.com',
        clock: systemClock,
        logger,
        checkpointInterval: CHECKPOINT_AFTER_MS,
        me: () => null,
        row: () => row,
        onFenced: () => {},
        unread: undefined,
      });
      owner.state = state;
      owner.views.push(viewOf(state));
    };
    void open().catch((error: unknown) => {
      owner.failure = error;
    });
    return owner;
  }

  append(owner: Owner): void {
    const { state } = owner;
    if (state === undefined || owner.dead || owner.closing) return;
    this.#values += 1;
    const value = Buffer.from(`${this.owners.indexOf(owner)}/${owner.views.length}`);
    const mark = state.append([
      { key: `k${this.#values % 3}`, value: this.#values % 4 === 0 ? null : value },
      { key: 'newest', value },
    ]);
    const index = owner.views.push(viewOf(state)) - 1;
    state.durable(mark).then(
      () => {
        owner.durable = Math.max(owner.durable, index);
      },
      () => {},
    );
  }

  close(owner: Owner): void {
    if (owner.dead || owner.state === undefined || owner.closing) return;
    owner.closing = true;
    void owner.state.close();
  }

  /** What it has asked for and was not answered may still happen; it learns of nothing any more. */
  crash(owner: Owner): void {
    owner.dead = true;
  }

  /** Lets one of the waiting calls happen, the oldest where `pick` is 0. */
  async release(pick: number, fate: Fate): Promise<void> {
    const call = this.#parked.splice(pick % Math.max(1, this.#parked.length), 1)[0];
    await call?.run(fate);
    await this.settle();
  }

  /** Lets everybody come to where they wait for a call or for time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  async #call<T>(owner: Owner, effect: () => Promise<T>): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const run = async (fate: Fate) => {
        if (fate === 'fails' || fate === 'comes-late') {
          const late = async () => void (await effect().catch(() => {}));
          if (fate === 'comes-late') this.#parked.push({ owner: undefined, run: late });
          if (!owner.dead) reject(new DependencyError('no answer'));
          return;
        }
        const outcome = await effect().then(
          (value) => () => resolve(value),
          (error: unknown) => () => reject(error),
        );
        if (owner.dead) return;
        if (fate === 'answer-lost') reject(new DependencyError('the answer was lost'));
        else outcome();
      };
      if (!owner.dead) this.#parked.push({ owner, run });
    });
  }

  #journalOf(owner: Owner): JournalStore {
    const store: JournalStore = this.#journal;
    const call = <T>(effect: () => Promise<T>) => this.#call(owner, effect);
    return {
      append: (session, record) => call(() => store.append(session, record)),
      async *read(session, fromLsn) {
        for (let from = fromLsn; ; ) {
          const page = await call(async () => {
            const records: JournalRecord[] = [];
            for await (const record of store.read(session, from)) if (records.length < PAGE) records.push(record);
            return records;
          });
          yield* page;
          if (page.length < PAGE) return;
          from = (page.at(-1)?.lsn ?? from) + 1;
        }
      },
      retire: async (session, below, until) => {
        for (const part of [below - 3, below - 1, below]) await call(() => store.retire(session, part, until));
      },
      clear: (session) => call(() => store.clear(session)),
    };
  }

  #checkpointsOf(owner: Owner): CheckpointStore {
    const store = this.#checkpoints;
    return {
      put: (...args) => this.#call(owner, () => store.put(...args)),
      get: (...args) => this.#call(owner, () => store.get(...args)),
      prune: (...args) => this.#call(owner, () => store.prune(...args)),
    };
  }

  #sessionsOf(owner: Owner): Pick<SessionStore, 'get' | 'report'> {
    const store = this.#sessions;
    return {
      get: (name) => this.#call(owner, () => store.get(name)),
      report: (...args) => this.#call(owner, () => store.report(...args)),
    };
  }
}

function viewOf(state: JournaledState): View {
  return Object.fromEntries(
    state
      .keys('')
      .toSorted()
      .map((key) => [key, Buffer.from(state.get(key) ?? []).toString()]),
  );
}
