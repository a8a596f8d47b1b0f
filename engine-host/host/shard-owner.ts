import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { HostRow } from '#shared/contracts/rows.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { HostNews, OwnershipStore } from '#shared/ports/ownership-store.ts';
import { HandedOver } from './handed-over.ts';
import type { Heartbeat } from './heartbeat/heartbeat.ts';
import { HostIncarnation, type HostLease } from './host-incarnation.ts';
import { observe, type Sightings, silentHosts } from './host-liveness.ts';
import type { ShardLease } from './lease.ts';
import { type HeldShard, planOwnership } from './ownership-plan.ts';
import { aborted, settledWithin, sleep } from './sleep.ts';
import type { HostTimings } from './timings.ts';

/** What runs for a shard while this host has its lease. */
export interface ShardTenant {
  readonly sessions: number;
  /** Sessions that are connected. */
  readonly working: number;
  /** Weight of its sessions; undefined while they have not been listed. */
  readonly load: number | undefined;
  /** A QR code is on show. */
  readonly pairing: boolean;
  /** Brings everything to a clean end within about `jobsMs` plus what the engines need. Never rejects. */
  drain(jobsMs: number): Promise<void>;
  /** Stops everything without any side effect: the lease has ended. Never rejects. */
  abort(): Promise<void>;
}

export interface OwnerView {
  /** Hosts that run sessions or could, this one included. */
  readonly liveHosts: number;
  /** A session of this host shows a QR code. */
  readonly pairing: boolean;
}

export interface ShardOwnerDeps {
  readonly hostId: string;
  /** ARN of the ECS task that the host is; undefined where there is none. */
  readonly task?: string | undefined;
  readonly pool: HostRow['pool'];
  readonly shards: readonly string[];
  readonly store: OwnershipStore;
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  readonly timings: HostTimings;
  readonly logger: Logger;
  /** Told after each look at hosts and shards. */
  readonly onLook: (view: OwnerView) => void;
  /** Called at the heartbeat's pace while this thread turns and closing what was lost does not hang. @default nothing */
  readonly pulse?: (() => void) | undefined;
  /** Begins to run what belongs to the shard. */
  readonly admit: (lease: ShardLease) => ShardTenant;
}

/** Of all shards together. */
export interface OwnerFigures {
  readonly sessions: number;
  readonly working: number;
  /** Units. */
  readonly load: number;
  /** Shards taken over from hosts that had died, since the start. */
  readonly failovers: number;
  /** The first registration, and one more for each time the ownership was lost. */
  readonly registrations: number;
}

interface Holding {
  readonly lease: HostLease;
  readonly tenant: ShardTenant;
  releasing: Promise<void> | undefined;
}

const HOST_ROW_TTL_SECONDS = 24 * 3600;
/** A host that is started again meets the same tables: better to wait for them here. */
const START_ATTEMPTS = 60;

/**
 * Registers the host, keeps its heartbeat, takes its share of the pool's shards and gives back what is too much.
 * A lost heartbeat closes everything without side effects; then the host begins again under a new incarnation.
 */
export class ShardOwner {
  readonly #deps: ShardOwnerDeps;
  readonly #logger: Logger;
  readonly #holdings = new Map<string, Holding>();
  readonly #stopped = new AbortController();
  #host: HostIncarnation | undefined;
  readonly #handedOver: HandedOver;
  #sightings: Sightings = new Map();
  #state: HostRow['state'] = 'ACTIVE';
  #failovers = 0;
  #registrations = 0;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(deps: ShardOwnerDeps) {
    this.#deps = deps;
    this.#logger = deps.logger;
    // The new owner lists the sessions, says so with its next heartbeat, and we look again.
    this.#handedOver = new HandedOver(2 * deps.timings.heartbeat + deps.timings.observe);
  }

  /**
   * Resolves when the host is registered. A store that does not answer is asked again for a while.
   * @throws what the store throws after that, or what no repetition mends
   */
  async start(): Promise<void> {
    this.#host = await this.#firstRegistration();
    this.#loops = Promise.all([this.#keepRegistered(), this.#keepShare()]);
  }

  get shards(): readonly string[] {
    return [...this.#holdings.keys()];
  }

  get figures(): OwnerFigures {
    let [sessions, working, load] = [0, 0, 0];
    for (const { tenant } of this.#holdings.values()) {
      sessions += tenant.sessions;
      working += tenant.working;
      load += tenant.load ?? 0;
    }
    return { sessions, working, load, failovers: this.#failovers, registrations: this.#registrations };
  }

  /** Hands everything over, then removes the host. Resolves at the deadline at the latest. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#state === 'DRAINING') return;
    this.#state = 'DRAINING';
    const host = this.#host;
    host?.say(this.#news());
    const released = Promise.all([...this.#holdings.values()].map((holding) => this.#handOver(holding)));
    const clean = await settledWithin(released, deadlineMs);
    this.#stopped.abort();
    if (!clean) {
      this.#logger.warn({ shards: this.#holdings.size }, 'drain deadline passed, leaving the rest to other hosts');
      host?.lose();
      await settledWithin(Promise.all([...this.#holdings.values()].map(({ tenant }) => tenant.abort())), 1_000);
    }
    await settledWithin(this.#loops, 2 * this.#deps.timings.heartbeat);
    if (host === undefined) return;
    await host.stop();
    await this.#deps.store.deregister(this.#deps.hostId, host.id).catch((error: unknown) => {
      this.#logger.warn({ err: error }, 'could not deregister; the others will find out');
    });
  }

  async #firstRegistration(): Promise<HostIncarnation> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#deps.store.ensureShards(this.#deps.shards);
        return await this.#register();
      } catch (error) {
        if (!(error instanceof DependencyError) || attempt === START_ATTEMPTS) throw error;
        this.#logger.warn({ err: error, attempt }, 'could not register yet');
        await sleep(this.#deps.timings.observe, this.#stopped.signal);
      }
    }
  }

  async #register(): Promise<HostIncarnation> {
    const { hostId, task, pool, store, clock, timings } = this.#deps;
    for (;;) {
      const seen = (await store.hosts()).find((row) => row.hostId === hostId);
      const registration = {
        hostId,
        incarnation: randomUUID(),
        rvn: 1,
        sentAt: clock.monotonic(),
        news: { load: 0, state: this.#state },
      };
      const { sentAt: _, news, ...identity } = registration;
      const startedAt = clock.now();
      const ttl = Math.ceil(startedAt / 1000) + HOST_ROW_TTL_SECONDS;
      // Else an attempt that was given up before has arrived in between.
      const row = { ...identity, ...news, pool, ...(task === undefined ? {} : { task }), startedAt, ttl };
      if (!(await store.register(row, seen?.incarnation))) continue;
      this.#registrations += 1;
      return new HostIncarnation(registration, { ...this.#deps, suspendAfter: timings.suspendAfter });
    }
  }

  async #keepRegistered(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const host = this.#host;
      if (host === undefined) return;
      await this.#pulseUntil(AbortSignal.any([host.lost, this.#stopped.signal]));
      if (this.#stopped.signal.aborted) return;
      await this.#beginAgain(host);
      if (this.#host === host) return;
    }
  }

  async #pulseUntil(signal: AbortSignal): Promise<void> {
    const { pulse, timings } = this.#deps;
    if (pulse === undefined) return await aborted(signal);
    while (!signal.aborted) {
      pulse();
      await sleep(timings.heartbeat, signal);
    }
  }

  #news(): HostNews {
    return { load: this.figures.load, state: this.#state };
  }

  async #beginAgain(lost: HostIncarnation): Promise<void> {
    this.#logger.error({ shards: this.#holdings.size }, 'ownership lost, closing everything');
    const tenants = [...this.#holdings.values()].map(({ tenant }) => tenant);
    this.#holdings.clear();
    await Promise.all(tenants.map((tenant) => tenant.abort()));
    while (!this.#stopped.signal.aborted && this.#state === 'ACTIVE' && this.#host === lost) {
      try {
        this.#host = await this.#register();
      } catch (error) {
        this.#logger.warn({ err: error }, 'could not register');
        this.#deps.pulse?.();
        await sleep(this.#deps.timings.heartbeat, this.#stopped.signal);
      }
    }
  }

  async #keepShare(): Promise<void> {
    const { timings } = this.#deps;
    while (!this.#stopped.signal.aborted && this.#state === 'ACTIVE') {
      const host = this.#host;
      if (host !== undefined && !host.isLost && !host.suspended) {
        host.say(this.#news());
        await this.#look(host).catch((error: unknown) => {
          this.#logger.warn({ err: error }, 'could not look at the shards');
        });
      }
      await sleep(timings.observe, this.#stopped.signal);
    }
  }

  async #look(host: HostIncarnation): Promise<void> {
    const { hostId, pool, store, clock, timings } = this.#deps;
    const wanted = new Set(this.#deps.shards);
    const readAt = clock.monotonic();
    const shards = (await store.shards()).filter((row) => wanted.has(row.shard));
    const hosts = await store.hosts();
    this.#sightings = observe(this.#sightings, hosts, clock.monotonic());
    const others = hosts.filter((row) => row.hostId !== hostId && row.state !== 'DEAD');
    for (const dead of silentHosts(this.#sightings, others, readAt, timings.deadAfter)) {
      const declared = await store.declareDead(dead.hostId, dead.incarnation, dead.rvn);
      if (declared) this.#logger.warn({ peer: dead.hostId }, 'host declared dead');
    }
    for (const row of shards) {
      const holding = this.#holdings.get(row.shard);
      if (holding === undefined || holding.releasing !== undefined) continue;
      if (row.epoch > holding.lease.epoch) await this.#dropStolen(holding);
    }
    const silent = silentHosts(this.#sightings, others, readAt, timings.suspendAfter).map((row) => row.hostId);
    const live = others.filter((row) => row.state === 'ACTIVE' && !silent.includes(row.hostId));
    const pairing = [...this.#holdings.values()].some(({ tenant }) => tenant.pairing);
    this.#deps.onLook({ liveHosts: 1 + live.length, pairing });
    const plan = planOwnership({
      self: { hostId, pool },
      hosts,
      silent: new Set(silent),
      shards,
      held: this.#held(),
      settling: this.#handedOver.settling(shards, readAt),
      mostInMotion: Math.max(1, Math.floor(shards.length * 0.05)),
    });
    for (const shard of plan.handOver) {
      const holding = this.#holdings.get(shard);
      if (holding !== undefined) void this.#handOver(holding);
    }
    // An acquisition whose answer was lost, or a release that did not get through, leaves a row that nobody would take.
    const wantedNow = new Set(plan.acquire.map((row) => row.shard));
    for (const row of shards) {
      const isStray = row.ownerIncarnation === host.id && !this.#holdings.has(row.shard) && !wantedNow.has(row.shard);
      if (isStray) await store.release(row.shard, host.id, row.epoch);
    }
    for (const seen of plan.acquire) {
      if (this.#state !== 'ACTIVE' || host.isLost) return;
      const row = await store.acquire(seen, hostId, host.id);
      if (row === undefined) continue;
      if (seen.owner !== null) this.#failovers += 1;
      this.#admit(host, row.shard, row.epoch);
    }
  }

  #admit(host: HostIncarnation, shard: string, epoch: number): void {
    const lease = host.lease(shard, epoch, (confirmed) => this.#confirm(host, confirmed));
    // Lost or draining since the acquisition was sent: the row frees itself by the host's death or deregistration.
    if (host.isLost || this.#state !== 'ACTIVE') {
      lease.end();
      return;
    }
    this.#holdings.set(shard, { lease, tenant: this.#deps.admit(lease), releasing: undefined });
    this.#logger.info({ shard, epoch }, 'shard acquired');
  }

  #held(): readonly HeldShard[] {
    return Array.from(this.#holdings.values(), ({ lease, tenant, releasing }) => ({
      shard: lease.shard,
      load: tenant.load,
      pairing: tenant.pairing,
      releasing: releasing !== undefined,
    }));
  }

  #handOver(holding: Holding): Promise<void> {
    holding.releasing ??= this.#release(holding).finally(() => {
      if (this.#holdings.get(holding.lease.shard) === holding) this.#holdings.delete(holding.lease.shard);
    });
    return holding.releasing;
  }

  async #release({ lease, tenant }: Holding): Promise<void> {
    const { store, clock, timings } = this.#deps;
    const host = this.#host;
    const hasSessions = tenant.load !== 0;
    await tenant.drain(timings.jobDrain);
    const lost = lease.ended.aborted;
    lease.end();
    if (lost || host === undefined) return;
    this.#handedOver.note(lease.shard, { hasSessions, at: clock.monotonic() });
    try {
      await store.release(lease.shard, host.id, lease.epoch);
      this.#logger.info({ shard: lease.shard, epoch: lease.epoch }, 'shard released');
    } catch (error) {
      // The row still names this host without a lease: the next look frees it or takes it anew.
      this.#logger.warn({ err: error, shard: lease.shard }, 'could not release');
    }
  }

  async #confirm(host: HostIncarnation, lease: HostLease): Promise<void> {
    const row = await this.#deps.store.shard(lease.shard);
    if (row?.epoch === lease.epoch && row.ownerIncarnation === host.id) return;
    const holding = this.#holdings.get(lease.shard);
    if (holding?.lease === lease) void this.#dropStolen(holding);
    else lease.end();
  }

  async #dropStolen(holding: Holding): Promise<void> {
    this.#logger.error({ shard: holding.lease.shard }, 'shard has a new owner, dropping it');
    holding.lease.end();
    this.#holdings.delete(holding.lease.shard);
    await holding.tenant.abort();
  }
}
