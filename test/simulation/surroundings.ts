import type { HostDeps } from '#engine-host/host/host.ts';
import { LocalDataKeys } from '#shared/adapters/local-data-keys.ts';
import { MemoryCheckpointStore } from '#shared/adapters/memory/memory-checkpoint-store.ts';
import { MemoryEventLog } from '#shared/adapters/memory/memory-event-log.ts';
import { MemoryJobStore } from '#shared/adapters/memory/memory-job-store.ts';
import { MemoryJournalBodyStore } from '#shared/adapters/memory/memory-journal-body-store.ts';
import { MemoryJournalStore } from '#shared/adapters/memory/memory-journal-store.ts';
import { MemoryOwnershipStore } from '#shared/adapters/memory/memory-ownership-store.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import { FINISHED_STATES } from '#shared/contracts/jobs.ts';
import type { JobStore } from '#shared/ports/job-store.ts';
import type { JournalRecord, JournalStore } from '#shared/ports/journal-store.ts';
import type { OwnershipStore } from '#shared/ports/ownership-store.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';
import type { ReceivedShardMessage } from '#shared/ports/shard-queue.ts';
import type { Random } from '#test/chaos/random.ts';
import type { Books } from './books.ts';
import { Calls, type Service, type Weather } from './calls.ts';
import { DurableView } from './durable-view.ts';
import type { Guard } from './guards.ts';
import { QueueModel } from './queue-model.ts';
import { EPOCH_MS, type SimProcess, type Timeline } from './timeline.ts';
import { WhatsAppModel } from './whatsapp-model.ts';

type Ports = Pick<
  HostDeps,
  | 'ownership'
  | 'journal'
  | 'journalBodies'
  | 'dataKeys'
  | 'sessions'
  | 'jobs'
  | 'queue'
  | 'checkpoints'
  | 'eventLog'
  | 'bus'
>;

interface Waiter {
  readonly process: SimProcess;
  readonly resolve: (messages: readonly ReceivedShardMessage[]) => void;
  over: boolean;
}

const LONG_POLL_MS = 20_000;

/** Everything outside of the hosts, and each host's way to it. */
export class Surroundings {
  readonly calls: Calls;
  readonly queue: QueueModel;
  readonly whatsapp: WhatsAppModel;
  readonly sessions: MemorySessionStore;
  readonly jobs: MemoryJobStore;
  /** Share of the entries that the bus refuses; 1: it does not answer at all. */
  busRefuses = 0;
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #books: Books;
  readonly #without: Guard | undefined;
  readonly #ownership = new MemoryOwnershipStore();
  readonly #journal = new MemoryJournalStore();
  /** Records that took the place of others, which only a mutant allows. */
  readonly #overwritten = new Map<string, JournalRecord>();
  /** Positions of seals that take no position, which only a mutant has. */
  readonly #unsealed = new Set<string>();
  readonly #checkpoints = new MemoryCheckpointStore();
  readonly #bodies = new MemoryJournalBodyStore();
  readonly #keys = new LocalDataKeys(new Uint8Array(32));
  readonly #log: MemoryEventLog;
  /** Up to where a reader of the log has come in each session. */
  readonly #read = new Map<string, number>();
  readonly #logged = new Set<string>();
  readonly #durable: DurableView;
  readonly #waiters = new Map<string, Waiter[]>();

  constructor(timeline: Timeline, random: Random, books: Books, without: Guard | undefined) {
    this.#timeline = timeline;
    this.#random = random;
    this.#books = books;
    this.#without = without;
    const clock = { now: () => EPOCH_MS + Math.floor(timeline.now), monotonic: () => timeline.now };
    this.calls = new Calls(timeline, random);
    this.sessions = new MemorySessionStore(clock);
    this.jobs = new MemoryJobStore(clock);
    this.#log = new MemoryEventLog(clock);
    this.queue = new QueueModel(clock.monotonic, (shard) => this.#queueChanged(shard), without !== 'message-group');
    this.#durable = new DurableView(this.#keys, books);
    this.whatsapp = new WhatsAppModel(timeline, random, books, this.#durable);
  }

  /** The ports of one process. */
  ports(process: SimProcess, weather: Weather): Ports {
    const make = <T>(service: Service, effect: () => Promise<T>) => this.calls.make(process, service, weather, effect);
    return {
      dataKeys: this.#keys,
      ownership: this.#ownershipPort(make),
      journal: this.#journalPort(process, make),
      journalBodies: wrapped(this.#bodies, 'objects', make),
      checkpoints: wrapped(this.#checkpoints, 'objects', make),
      sessions: this.#sessionsPort(make),
      jobs: this.#jobsPort(make),
      queue: this.#queuePort(process, make),
      eventLog: wrapped(this.#log, 'log', make, { append: (events) => this.#append(events, make) }),
      bus: { publish: (events) => this.#publish(process, events, make) },
    };
  }

  /** Who has what, for people to read. */
  async ownership(): Promise<string> {
    return JSON.stringify([await this.#ownership.hosts(), await this.#ownership.shards()]);
  }

  #ownershipPort(make: Make): Ports['ownership'] {
    const store = this.#ownership;
    const blind = this.#without === 'epoch-condition';
    return wrapped<OwnershipStore>(store, 'ownership', make, {
      register: (host, replaces) =>
        make('ownership', async () => {
          const registered = await store.register(host, replaces);
          if (registered || this.#without !== 'registration') return registered;
          const now = (await store.hosts()).find(({ hostId }) => hostId === host.hostId);
          return store.register(host, now?.incarnation);
        }),
      acquire: (seen, hostId, incarnation) =>
        make('ownership', async () => {
          const row = await store.acquire(seen, hostId, incarnation);
          const now = blind && row === undefined ? await store.shard(seen.shard) : undefined;
          return now === undefined ? row : await store.acquire(now, hostId, incarnation);
        }),
    });
  }

  #journalPort(process: SimProcess, make: Make): Ports['journal'] {
    const store: JournalStore = this.#journal;
    const overwritten = this.#overwritten;
    return {
      append: (session, record) =>
        make('journal', async () => {
          const position = `${session.name} ${record.lsn}`;
          const isSeal = record.kind === 'seal';
          const outcome = await store.append(session, record);
          const isForeign = outcome.kind === 'taken' && outcome.batchId !== record.batchId;
          const isFree = this.#without === 'append-condition' || this.#unsealed.has(position);
          if (isForeign && !isFree) return outcome;
          if (isForeign) overwritten.set(position, record);
          if (isForeign) this.#unsealed.delete(position);
          if (isForeign || outcome.kind === 'appended') {
            await this.#durable.apply(session, record, isForeign);
            if (isSeal) this.#books.sealed(session.name, process, record.epoch);
            if (isSeal && this.#without === 'seal') this.#unsealed.add(position);
          }
          return isForeign ? { kind: 'appended' } : outcome;
        }),
      async *read(session, fromLsn) {
        const records = await make('journal', async () => {
          const page: JournalRecord[] = [];
          for await (const record of store.read(session, fromLsn)) {
            page.push(overwritten.get(`${session.name} ${record.lsn}`) ?? record);
          }
          return page;
        });
        yield* records;
      },
      retire: (...args) => make('journal', () => store.retire(...args)),
      clear: (...args) => make('journal', () => store.clear(...args)),
    };
  }

  #sessionsPort(make: Make): Ports['sessions'] {
    const store = this.sessions;
    return wrapped<SessionStore>(store, 'rows', make, {
      report: (name, incarnation, epoch, report) =>
        make('rows', async () => {
          if (report.status === 'FAILED') this.#books.breach('R8', `${name} fails: ${report.statusReason}`);
          await store.report(name, incarnation, epoch, report);
        }),
    });
  }

  #jobsPort(make: Make): Ports['jobs'] {
    const store = this.jobs;
    const forgetful = this.#without === 'frozen-content';
    const renamed = this.#without === 'message-id';
    return wrapped<JobStore>(store, 'rows', make, {
      get: (session, jobId) =>
        make('rows', async () => {
          const row = await store.get(session, jobId);
          if (row === undefined || !(forgetful || renamed)) return row;
          const { content, messageId, ...rest } = row;
          return renamed
            ? { ...row, messageId: `3EB0${this.#random.next().toString(16).slice(2)}` }
            : { ...rest, ...(messageId !== undefined && { messageId }) };
        }),
      prepare: (session, jobId, epoch, frozen) =>
        make('rows', async () => {
          const row = await store.prepare(session, jobId, epoch, frozen);
          return forgetful ? { ...row, ...frozen } : row;
        }),
      advance: (session, jobId, epoch, outcome) =>
        make('rows', async () => {
          const row = await store.get(session, jobId);
          const taken = this.whatsapp.account(session).taken;
          if (outcome.state === 'SENT' && !taken.has(row?.messageId ?? '')) {
            this.#books.breach('R5', `${session}: ${jobId} is called sent, the server has not got it`);
          }
          await store.advance(session, jobId, epoch, outcome);
        }),
    });
  }

  #queuePort(process: SimProcess, make: Make): Ports['queue'] {
    const { queue } = this;
    return {
      send: (shard, body, lane) => make('queue', async () => queue.send(shard, body, lane)),
      receive: (shard, signal) => this.#receive(process, shard, signal, make),
      depth: (shard) => make('queue', async () => queue.size(shard)),
      done: (shard, receipt) =>
        make('queue', async () => {
          const body = queue.bodyOf(shard, receipt);
          if (body?.kind === 'job') {
            const row = await this.jobs.get(body.session, body.jobId);
            if (row !== undefined && !FINISHED_STATES.has(row.state)) {
              this.#books.breach('R5', `${body.session}: ${body.jobId} leaves the queue in state ${row.state}`);
            }
          }
          queue.done(shard, receipt);
        }),
      postpone: (shard, receipt, seconds) => make('queue', async () => queue.postpone(shard, receipt, seconds)),
      bury: (shard, message, reason) =>
        make('queue', async () => {
          queue.buried.push(reason);
          queue.done(shard, message.receipt);
        }),
    };
  }

  async #receive(process: SimProcess, shard: string, signal: AbortSignal, make: Make) {
    const ready = await make('queue', async () => this.queue.take(shard));
    if (ready.length > 0 || signal.aborted) return ready;
    const { promise, resolve } = Promise.withResolvers<readonly ReceivedShardMessage[]>();
    const waiter: Waiter = { process, resolve, over: false };
    const waiters = this.#waiters.get(shard) ?? [];
    this.#waiters.set(shard, [...waiters.filter(({ over }) => !over), waiter]);
    const end = () => {
      waiter.over = true;
      resolve([]);
    };
    signal.addEventListener('abort', end, { once: true });
    this.#timeline.in(process, LONG_POLL_MS, end);
    this.#queueChanged(shard);
    return promise;
  }

  /** Looks after the open polls, now and when something becomes visible. */
  #queueChanged(shard: string): void {
    const serve = () => {
      for (const waiter of this.#waiters.get(shard) ?? []) {
        if (waiter.over) continue;
        const messages = this.queue.take(shard);
        if (messages.length === 0) break;
        waiter.over = true;
        this.#timeline.in(waiter.process, this.#random.between(1, 10), () => waiter.resolve(messages));
      }
    };
    this.#timeline.in(undefined, 1, serve);
    const next = this.queue.nextVisible(shard);
    if (next !== undefined && Number.isFinite(next)) this.#timeline.in(undefined, next - this.#timeline.now + 1, serve);
  }

  #append(events: readonly EventEnvelope[], make: Make): Promise<readonly number[]> {
    const answer = make('log', () => this.#log.append(events));
    const none = (): readonly number[] => [];
    return this.#without === 'log-before-bus' ? answer.then(none, none) : answer;
  }

  /** What a reader does whom the bus has told of an event: it goes on where it was, and must come by this one. */
  async #readOn({ session, id }: EventEnvelope): Promise<void> {
    const from = this.#read.get(session) ?? 0;
    const found = await this.#log.read(session, from, Number.POSITIVE_INFINITY);
    for (const { envelope } of found) this.#logged.add(envelope.id);
    this.#read.set(session, found.at(-1)?.envelope.seq ?? from);
    if (!this.#logged.has(id)) this.#books.breach('log', `${session}: a reader of the log has missed ${id}`);
  }

  #publish(process: SimProcess, events: readonly EventEnvelope[], make: Make): Promise<readonly number[]> {
    for (const { session, id, seq } of events) this.#books.offers(session, process, id, seq);
    const answer = make('bus', async () => {
      const failed: number[] = [];
      const silent = this.busRefuses >= 1;
      for (const [index, event] of events.entries()) {
        if (silent || this.#random.chance(this.busRefuses)) failed.push(index);
        else {
          this.#books.accepts(event.id, keyOf(event));
          await this.#readOn(event);
        }
      }
      return failed;
    });
    // Whoever does not look at the answer goes on as after the best of all.
    const none = (): readonly number[] => [];
    return this.#without === 'publish-before-clear' ? answer.then(none, none) : answer;
  }
}

type Make = <T>(service: Service, effect: () => Promise<T>) => Promise<T>;

/** What an event tells of. */
function keyOf(event: EventEnvelope): string {
  const { session, payload, id } = event;
  const isMessage = event.event === 'message' || event.event === 'message.any';
  return isMessage ? `${session} ${event.payload.id}` : `${session} ${event.event} ${id} ${typeof payload}`;
}

/** The same store, every call of which goes through `make`. @param own calls that are made otherwise */
function wrapped<T extends object>(store: T, service: Service, make: Make, own: Partial<T> = {}): T {
  return new Proxy(store, {
    get(target, name) {
      if (name in own) return Reflect.get(own, name);
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => make(service, async () => Reflect.apply(member, target, args));
    },
  });
}
