import { setTimeout as delay } from 'node:timers/promises';
import { BenchWorld, type PairedSession } from './bench-world.ts';
import { type ConnectionChange, ConnectionLog } from './connection-log.ts';
import { RuleQueue } from './rule-queue.ts';
import { Tables } from './tables.ts';
import { WorkingWatch } from './working-watch.ts';

const PAUSE_MS = 100;
const CALM_MS = 3_000;
const TIMEOUT_MS = 120_000;

/** Several hosts with sessions spread over them. */
export class Fleet {
  readonly world: BenchWorld;
  /** Ids. */
  readonly hosts: readonly string[];
  readonly working: WorkingWatch;
  readonly #queue: RuleQueue;
  readonly #tables: Tables;
  readonly #connections: ConnectionLog;
  #sessions: readonly PairedSession[] = [];

  private constructor(world: BenchWorld, hosts: number, queue: RuleQueue) {
    this.world = world;
    this.hosts = Array.from({ length: hosts }, (_, index) => `host-${index + 1}`);
    this.working = new WorkingWatch(queue);
    this.#queue = queue;
    this.#tables = new Tables(world.platform.env);
    this.#connections = new ConnectionLog(world.whatsapp);
  }

  static async start(hosts: number, sessions: number): Promise<Fleet> {
    const world = await BenchWorld.start({ hosts });
    try {
      const queue = await RuleQueue.create(world.platform.env, 'fleet', ['session.status']);
      const fleet = new Fleet(world, hosts, queue);
      // A session that moves while its QR code is on show has to be scanned anew.
      await fleet.balanced();
      fleet.#sessions = await world.pairAll(Array.from({ length: sessions }, (_, index) => `fleet-${index + 1}`));
      return fleet;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  /** Resolves when the hosts share all shards evenly, all sessions are logged in, and it has stayed so for a while. */
  async balanced(): Promise<void> {
    const deadline = performance.now() + TIMEOUT_MS;
    let calmSince: number | undefined;
    while (calmSince === undefined || performance.now() - calmSince < CALM_MS) {
      if (performance.now() > deadline) throw new Error('The hosts do not come to share the shards evenly.');
      await delay(PAUSE_MS);
      if (!(await this.#isBalanced())) calmSince = undefined;
      else calmSince ??= performance.now();
    }
  }

  /** Reads the log until every one of these sessions is logged in. */
  async loggedIn(sessions: readonly PairedSession[] = this.#sessions): Promise<void> {
    const deadline = performance.now() + TIMEOUT_MS;
    while (!(await this.#areLoggedIn(sessions))) {
      if (performance.now() > deadline) throw new Error('Not all sessions have logged in again.');
      await delay(PAUSE_MS);
    }
  }

  /** Sessions whose login has ended in this time. */
  async disconnected(from: number, to: number): Promise<readonly PairedSession[]> {
    await this.#connections.catchUp();
    return this.#sessions.filter(({ phone }) => this.#closed(phone, from, to).length > 0);
  }

  /**
   * Milliseconds from the first end of each session's login since `from` until it was live again.
   * @throws Error when that is not to be told from the log
   */
  silences(sessions: readonly PairedSession[], from: number): readonly number[] {
    return sessions.map(({ name, phone }) => {
      const [closed] = this.#closed(phone, from, Number.POSITIVE_INFINITY);
      const changes = this.#connections.changes(phone);
      const back = changes.find(({ kind, at }) => kind === 'active' && closed !== undefined && at >= closed.at);
      if (closed === undefined || back === undefined) throw new Error(`Session ${name} was not logged in again.`);
      return back.at - closed.at;
    });
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
    this.#tables.close();
    await this.world.stop();
  }

  #closed(phone: string, from: number, to: number): readonly ConnectionChange[] {
    return this.#connections.changes(phone).filter(({ kind, at }) => kind === 'closed' && at >= from && at <= to);
  }

  async #isBalanced(): Promise<boolean> {
    const shards = await this.#tables.shards();
    const share = Math.ceil(shards.length / this.hosts.length);
    const held = Map.groupBy(shards, ({ owner }) => owner);
    const even = this.hosts.every((host) => {
      const count = held.get(host)?.length ?? 0;
      return count > 0 && count <= share;
    });
    return even && !held.has(null) && (await this.#areLoggedIn(this.#sessions));
  }

  async #areLoggedIn(sessions: readonly PairedSession[]): Promise<boolean> {
    await this.#connections.catchUp();
    return sessions.every(({ phone }) => this.#connections.changes(phone).at(-1)?.kind === 'active');
  }
}
