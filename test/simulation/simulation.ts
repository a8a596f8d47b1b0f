import { pino } from 'pino';
import { InThreadHeartbeat } from '#engine-host/host/heartbeat/in-thread-heartbeat.ts';
import { type Host, type HostDeps, startHost } from '#engine-host/host/host.ts';
import { hostTimings } from '#engine-host/host/timings.ts';
import { jobRow, sessionRow } from '#engine-host/sessions/row-fixtures.ts';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import { FINISHED_STATES } from '#shared/contracts/jobs.ts';
import { shardIds } from '#shared/contracts/resources.ts';
import { messageIdForJob } from '#shared/domain/message-id.ts';
import { type Random, seeded } from '#test/chaos/random.ts';
import { Books, type Breach } from './books.ts';
import type { Weather } from './calls.ts';
import type { Guard } from './guards.ts';
import { ModelEngine } from './model-engine.ts';
import { chatOf } from './model-events.ts';
import { Surroundings } from './surroundings.ts';
import { EPOCH_MS, SimProcess, Timeline } from './timeline.ts';
import { ownGlobals } from './virtual-globals.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly steps: number;
  readonly without?: Guard;
}

export interface SimulationResult {
  readonly breaches: readonly Breach[];
  readonly trace: readonly string[];
  /** What took place; `virtualMs` is the length of it all. */
  readonly figures: Readonly<Record<string, number>>;
}

interface Running {
  readonly process: SimProcess;
  readonly weather: Weather;
  host: Host | undefined;
  draining: boolean;
}

const HOSTS = 3;
const SESSIONS = 4;
/** Fewer than hosts: one stands by and takes at once what seems to be free. */
const SHARDS = [2, 3, 4];
const CONTACTS = ['4915200000001@c.us', '4915200000002@c.us'];
const ORDINARY_TROUBLE = 0.01;
const LONGEST_REST_MS = 400_000;
const LONGEST_FAILOVER_MS = 20_000;
const logger = pino({ level: 'silent' });
const TIMINGS = hostTimings({ checkpointInterval: 20_000, drain: 20_000, jobDrain: 3_000 });

/** Runs one seed: some steps of traffic and faults, then calm until nothing moves, then the last comparison. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(options);
  const giveBack = ownGlobals(simulation.timeline, simulation.random.next);
  try {
    return await simulation.run();
  } finally {
    giveBack();
  }
}

class Simulation {
  readonly timeline = new Timeline();
  readonly random: Random;
  readonly #options: SimulationOptions;
  readonly #books: Books;
  readonly #around: Surroundings;
  readonly #shards: readonly string[];
  readonly #sessions = Array.from({ length: SESSIONS }, (_, index) => `s${index}`);
  readonly #accepted = new Map<string, number>();
  #running: Running[] = [];
  #hosts = 0;
  #crashes = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.random = seeded(options.seed);
    this.#shards = shardIds('socket', this.random.pick(SHARDS));
    this.#books = new Books(this.timeline);
    this.#around = new Surroundings(this.timeline, this.random, this.#books, options.without);
  }

  async run(): Promise<SimulationResult> {
    for (const session of this.#sessions) {
      await this.#around.sessions.create(
        sessionRow({
          name: session,
          engine: 'NOWEB',
          shard: this.#shardOf(session),
          createdAt: EPOCH_MS,
          updatedAt: EPOCH_MS,
        }),
      );
      this.#around.whatsapp.addAccount(session, CONTACTS);
    }
    for (let index = 0; index < HOSTS; index += 1) await this.#startHost(`h${index}`);
    for (let step = 0; step < this.#options.steps && !this.#isOver; step += 1) {
      await this.#act();
      await this.timeline.advance(this.random.between(20, 250), () => this.#isOver);
    }
    if (!this.#isOver) await this.#rest();
    for (const { process } of this.#running) process.alive = false;
    const { breaches, trace, figures } = this.#books;
    const { happened } = this.timeline;
    const jobs = this.#books.jobs.size;
    return {
      breaches,
      trace,
      figures: { ...figures, happened, jobs, crashes: this.#crashes, virtualMs: Math.round(this.timeline.now) },
    };
  }

  get #isOver(): boolean {
    return this.#books.breaches.length > 0;
  }

  async #act(): Promise<void> {
    const { random } = this;
    const dice = random.next() * 100;
    const session = random.pick(this.#sessions);
    const awake = this.#running.filter(({ process }) => !process.paused);
    const victim = awake.length > 0 ? random.pick(awake) : undefined;
    if (dice < 22) return this.#accept(session);
    if (dice < 44) return this.#around.whatsapp.write(session);
    if (dice < 46) return this.#around.whatsapp.cut(session);
    if (dice < 48) return this.#around.whatsapp.repeat(session);
    if (dice < 49) return this.#duplicate(session);
    if (dice < 49.4) return this.#loseMessage(session);
    if (dice < 50.5) return this.#trouble('bus', () => this.#upsetBus());
    if (dice < 54) {
      if (this.#running.length < HOSTS)
        await this.#startHost(`h${random.chance(0.5) ? this.#freeName() : this.#hosts}`, random.chance(0.2));
      return;
    }
    if (victim === undefined) return;
    if (dice < 55.2) return this.#crash(victim);
    if (dice < 56.2) return this.#pause(victim);
    if (dice < 57.2) return this.#cutOff(victim);
    if (dice < 58.4) return this.#storm(victim);
    if (dice < 59) return this.#drain(victim);
  }

  /** What the API does. */
  async #accept(session: string): Promise<void> {
    const index = this.#accepted.get(session) ?? 0;
    this.#accepted.set(session, index + 1);
    const jobId = `job-${index}`;
    const messageId = messageIdForJob(session, jobId);
    const text = `out ${index}`;
    const now = EPOCH_MS + Math.floor(this.timeline.now);
    const chatId = chatOf(this.random.pick(CONTACTS));
    const command = { type: 'sendText', chatId, text } as const;
    const times = { createdAt: now, updatedAt: now, expiresAt: now + 86_400_000 };
    await this.#around.jobs.create(jobRow({ session, jobId, command, openShard: this.#shardOf(session), ...times }));
    this.#books.jobs.set(messageId, { session, jobId, messageId, index, text, displaced: false });
    this.#around.queue.send(this.#shardOf(session), { kind: 'job', session, jobId }, 'sends');
    this.#books.note(`${session} accepts ${jobId} (${messageId})`);
  }

  async #startHost(hostId: string, inStorm = false): Promise<void> {
    this.#hosts += 1;
    const rate = this.random.between(0.99, 1.01);
    const offset = this.random.between(0, 1e6);
    const process: SimProcess = new SimProcess(`${hostId}/${this.#hosts}`, {
      now: () => EPOCH_MS + Math.floor(this.timeline.now),
      monotonic: () => offset + this.timeline.now * rate,
    });
    const weather: Weather = { trouble: ORDINARY_TROUBLE, cut: new Set() };
    const running: Running = { process, weather, host: undefined, draining: false };
    this.#running.push(running);
    this.#books.note(`${process.name} starts`);
    if (inStorm) this.#storm(running);
    await this.timeline.enter(process, () => {
      startHost(this.#hostDeps(hostId, process, weather)).then(
        (host) => {
          running.host = host;
        },
        () => this.#ended(running),
      );
    });
  }

  #hostDeps(hostId: string, process: SimProcess, weather: Weather): HostDeps {
    const { without } = this.#options;
    const { whatsapp } = this.#around;
    const books = this.#books;
    const suspendAfter = without === 'self-fence' ? Number.MAX_SAFE_INTEGER : TIMINGS.suspendAfter;
    const ports = this.#around.ports(process, weather);
    return {
      ...ports,
      heartbeat: new InThreadHeartbeat({ store: ports.ownership, clock: process.clock, every: TIMINGS.heartbeat }),
      config: {
        hostId,
        pool: 'socket',
        shardCount: this.#shards.length,
        jobsInFlight: 50,
        startParallelism: 4,
        connectsPerSecond: { host: 50, fleet: 300 },
        pacingProfile: 'off',
        publicUrl: 'https://wa.example.com',
        timings: { ...TIMINGS, suspendAfter },
      },
      version: '0.0.0',
      clock: process.clock,
      logger,
      media: new MemoryMediaStore(),
      remoteFiles: { open: () => Promise.reject(new Error('nothing is fetched here')) },
      messages: { get: async () => undefined },
      readModels: [],
      engines: [
        {
          name: 'NOWEB',
          capabilities: new Set(['sendText']),
          create: (context) => new ModelEngine({ context, whatsapp, process, books, without }),
        },
      ],
    };
  }

  #crash(running: Running): void {
    this.#crashes += 1;
    this.#books.note(`${running.process.name} is killed`);
    this.#ended(running);
    this.#around.whatsapp.died(running.process);
  }

  #ended(running: Running): void {
    running.process.alive = false;
    this.#running = this.#running.filter((other) => other !== running);
  }

  #pause({ process }: Running): void {
    process.paused = true;
    const ms = this.random.between(200, 16_000);
    this.#books.note(`${process.name} is stopped for ${Math.round(ms)} ms`);
    this.timeline.in(undefined, ms, () => {
      this.#books.note(`${process.name} goes on`);
      this.timeline.resume(process);
    });
  }

  #cutOff({ process, weather }: Running): void {
    const ms = this.random.between(2_000, 16_000);
    this.#books.note(`${process.name} cannot reach the ownership tables for ${Math.round(ms)} ms`);
    weather.cut.add('ownership');
    this.timeline.in(undefined, ms, () => void weather.cut.delete('ownership'));
  }

  #storm({ process, weather }: Running): void {
    this.#books.note(`${process.name} has trouble with its calls`);
    weather.trouble = this.random.between(0.1, 0.6);
    this.timeline.in(undefined, this.random.between(500, 8_000), () => {
      weather.trouble = ORDINARY_TROUBLE;
    });
  }

  async #drain(running: Running): Promise<void> {
    const { host, process } = running;
    if (host === undefined || running.draining) return;
    running.draining = true;
    this.#books.note(`${process.name} drains`);
    await this.timeline.enter(process, () => {
      void host.drain().then(() => {
        this.#books.note(`${process.name} has drained`);
        this.#ended(running);
        this.#around.whatsapp.died(process);
      });
    });
  }

  #upsetBus(): number {
    this.#around.busRefuses = this.random.chance(0.3) ? 1 : this.random.between(0.1, 0.8);
    return this.random.between(300, 6_000);
  }

  #trouble(what: string, begin: () => number): void {
    const ms = begin();
    this.#books.note(`trouble with the ${what} for ${Math.round(ms)} ms`);
    this.timeline.in(undefined, ms, () => {
      this.#around.busRefuses = 0;
    });
  }

  #duplicate(session: string): void {
    const jobs = [...this.#books.jobs.values()].filter((job) => job.session === session);
    if (jobs.length === 0) return;
    const { jobId } = this.random.pick(jobs);
    this.#around.queue.send(this.#shardOf(session), { kind: 'job', session, jobId }, 'sends');
    this.#books.note(`the queue has ${session} ${jobId} twice`);
  }

  /** The reconciler finds the row without its message, later. */
  #loseMessage(session: string): void {
    const shard = this.#shardOf(session);
    const body = this.#around.queue.lose(shard);
    if (body?.kind !== 'job') return;
    const job = this.#books.jobs.get(messageIdForJob(body.session, body.jobId));
    if (job !== undefined) job.displaced = true;
    this.#books.note(`the queue loses ${body.session} ${body.jobId}`);
    const wake = () => this.#around.queue.send(shard, { ...body }, 'sends');
    this.timeline.in(undefined, 20_000, wake);
  }

  #freeName(): number {
    const taken = new Set(this.#running.map(({ process }) => process.name.split('/')[0]));
    return [0, 1, 2, 3].find((index) => !taken.has(`h${index}`)) ?? this.#hosts;
  }

  #shardOf(session: string): string {
    const shard = this.#shards[this.#sessions.indexOf(session) % this.#shards.length];
    if (shard === undefined) throw new Error('no such shard');
    return shard;
  }

  /** No more faults: everything must come to its end. */
  async #rest(): Promise<void> {
    const { calls } = this.#around;
    calls.calm = true;
    this.#around.busRefuses = 0;
    this.#books.note('calm');
    for (const { process } of this.#running) if (process.paused) this.timeline.resume(process);
    await this.#startHost(`h${this.#hosts}`);
    await this.#settle();
    if (this.#isOver) return;
    // What the journals hold now must do for a start from nothing.
    for (const running of [...this.#running]) this.#crash(running);
    await this.#startHost(`h${this.#hosts}`);
    await this.timeline.advance(LONGEST_FAILOVER_MS, () => this.#isOver);
    await this.#settle();
    if (!this.#isOver) this.#compare();
  }

  async #settle(): Promise<void> {
    const until = this.timeline.now + LONGEST_REST_MS;
    let left = await this.#leftovers();
    while (left.length > 0 && this.timeline.now < until && !this.#isOver) {
      await this.timeline.advance(1_000, () => this.#isOver);
      left = await this.#leftovers();
    }
    if (this.#isOver) return;
    if (left.length > 0) {
      this.#books.note(await this.#around.ownership());
      for (const { host, process } of this.#running) this.#books.note(`${process.name} has ${host?.shards}`);
    }
    for (const what of left.slice(0, 5)) this.#books.breach('rest', what);
    // What was told more often than once must be told by now.
    await this.timeline.advance(2_000, () => this.#isOver);
  }

  async #leftovers(): Promise<string[]> {
    const left: string[] = [];
    for (const { session, jobId, messageId } of this.#books.jobs.values()) {
      const row = await this.#around.jobs.get(session, jobId);
      if (row === undefined || !FINISHED_STATES.has(row.state)) left.push(`lostOut: ${session} ${jobId} ${row?.state}`);
      else if (row.state !== 'SENT') left.push(`lostOut: ${session} ${jobId} ended ${row.state} ${row.error?.code}`);
      if (!this.#books.told.has(`${session} ${this.#ownKey(session, messageId)}`))
        left.push(`no event of ${messageId}`);
    }
    for (const account of this.#around.whatsapp.accounts.values()) {
      for (const { id } of account.queue) left.push(`lostIn: ${account.session} never acknowledged ${id}`);
      for (const { id, from } of account.written) {
        if (!this.#books.told.has(`${account.session} false_${from}_${id}`)) left.push(`lostIn: no event of ${id}`);
      }
      const row = await this.#around.sessions.get(account.session);
      if (row?.status !== 'WORKING') left.push(`${account.session} is ${row?.status} (${row?.statusReason})`);
    }
    return left;
  }

  #ownKey(session: string, messageId: string): string {
    const chat = this.#around.whatsapp.account(session).chats.get(messageId) ?? '';
    return `true_${chat}_${messageId}`;
  }

  #compare(): void {
    for (const account of this.#around.whatsapp.accounts.values()) {
      const seen = new Map<string, string>();
      for (const [id, content] of account.taken) {
        const text = content.split('\0')[0] ?? '';
        const other = seen.get(text);
        if (other !== undefined) this.#books.breach('dupOut', `${account.session}: ${other} and ${id} are one send`);
        seen.set(text, id);
      }
    }
    for (const [key, ids] of this.#books.told) {
      if (ids.size > 1) this.#books.breach('dupIn', `${key} is ${ids.size} events`);
    }
  }
}
