import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { HostRow } from '#shared/contracts/rows.ts';
import { DependencyError, NotOwnerError } from '#shared/domain/errors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { OwnershipStore } from '#shared/ports/ownership-store.ts';
import type { HostTimings } from './config.ts';
import { HostIncarnation, type HostLease } from './host-incarnation.ts';
import { observe, type Sightings, silentHosts } from './host-liveness.ts';
import type { ShardLease } from './lease.ts';
import { type HeldShard, planOwnership } from './ownership-plan.ts';
import { settledWithin, sleep } from './sleep.ts';

/** What runs for a shard while this host has its lease. */
export interface ShardTenant {
  readonly sessions: number;
  /** A QR code is on show. */
  readonly pairing: boolean;
  /** Brings everything to a clean end within about `jobsMs` plus what the engines need. Never rejects. */
  drain(jobsMs: number): Promise<void>;
  /** Stops everything without any side effect: the lease has ended. Never rejects. */
  abort(): Promise<void>;
}

export interface ShardOwnerDeps {
  readonly hostId: string;
  readonly pool: HostRow['pool'];
  readonly shards: readonly string[];
  readonly store: OwnershipStore;
  readonly clock: Clock;
  readonly timings: HostTimings;
  readonly logger: Logger;
  /** Called each time the loop that keeps the heartbeat has gone round, whatever came of it. @default nothing */
  readonly pulse?: (() => void) | undefined;
  /** Begins to run what belongs to the shard. */
  readonly admit: (lease: ShardLease) => ShardTenant;
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
  #sightings: Sightings = new Map();
  #state: HostRow['state'] = 'ACTIVE';
  #loops: Promise<unknown> = Promise.resolve();

  constructor(deps: ShardOwnerDeps) {
    this.#deps = deps;
    this.#logger = deps.logger;
  }

  /**
   * Resolves when the host is registered. A store that does not answer is asked again for a while.
   * @throws what the store throws after that, or what no repetition mends
   */
  async start(): Promise<void> {
    this.#host = await this.#firstRegistration();
    this.#loops = Promise.all([this.#keepHeartbeat(), this.#keepShare()]);
  }

  get shards(): readonly string[] {
    return [...this.#holdings.keys()];
  }

  /** Hands everything over, then removes the host. Resolves at the deadline at the latest. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#state === 'DRAINING') return;
    this.#state = 'DRAINING';
    const host = this.#host;
    if (host !== undefined) void this.#beat(host);
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
    const { hostId, pool, store, clock, timings } = this.#deps;
    for (;;) {
      const seen = (await store.hosts()).find((row) => row.hostId === hostId);
      const registeredAt = clock.monotonic();
      const host = new HostIncarnation(randomUUID(), clock, timings.suspendAfter, registeredAt);
      const now = clock.now();
      const row: HostRow = {
        hostId,
        incarnation: host.id,
        pool,
        rvn: host.nextRvn(),
        state: this.#state,
        sessions: 0,
        startedAt: now,
        ttl: Math.ceil(now / 1000) + HOST_ROW_TTL_SECONDS,
      };
      // Else an attempt that was given up before has arrived in between.
      if (await store.register(row, seen?.incarnation)) return host;
    }
  }

  async #keepHeartbeat(): Promise<void> {
    const { timings } = this.#deps;
    while (!this.#stopped.signal.aborted) {
      await sleep(timings.heartbeat, this.#stopped.signal);
      const host = this.#host;
      if (host === undefined || this.#stopped.signal.aborted) continue;
      // A call that hangs must not keep the next one from being sent; when it is answered late, it still counts.
      await settledWithin(this.#beat(host), timings.heartbeat / 2);
      this.#deps.pulse?.();
      if (host.lost.aborted) await this.#beginAgain(host);
    }
  }

  async #beat(host: HostIncarnation): Promise<void> {
    const { hostId, store, clock } = this.#deps;
    const sentAt = clock.monotonic();
    let sessions = 0;
    for (const { tenant } of this.#holdings.values()) sessions += tenant.sessions;
    try {
      await store.heartbeat(hostId, host.id, host.nextRvn(), sessions, this.#state);
      host.heartbeatAccepted(sentAt);
    } catch (error) {
      if (error instanceof NotOwnerError) host.lose();
      else this.#logger.warn({ err: error, suspended: host.suspended }, 'heartbeat failed');
    }
  }

  async #beginAgain(lost: HostIncarnation): Promise<void> {
    this.#logger.error({ shards: this.#holdings.size }, 'ownership lost, closing everything');
    const tenants = [...this.#holdings.values()].map(({ tenant }) => tenant);
    this.#holdings.clear();
    await Promise.all(tenants.map((tenant) => tenant.abort()));
    while (!this.#stopped.signal.aborted && this.#host === lost) {
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
      if (host !== undefined && !host.lost.aborted && !host.suspended) {
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
    const plan = planOwnership({
      self: { hostId, pool },
      hosts,
      silent: new Set(silent),
      shards,
      held: this.#held(),
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
      if (this.#state !== 'ACTIVE' || host.lost.aborted) return;
      const row = await store.acquire(seen, hostId, host.id);
      if (row !== undefined) this.#admit(host, row.shard, row.epoch);
    }
  }

  #admit(host: HostIncarnation, shard: string, epoch: number): void {
    const lease = host.lease(shard, epoch);
    // Lost or draining since the acquisition was sent: the row frees itself by the host's death or deregistration.
    if (host.lost.aborted || this.#state !== 'ACTIVE') {
      lease.end();
      return;
    }
    this.#holdings.set(shard, { lease, tenant: this.#deps.admit(lease), releasing: undefined });
    this.#logger.info({ shard, epoch }, 'shard acquired');
  }

  #held(): readonly HeldShard[] {
    return Array.from(this.#holdings.values(), ({ lease, tenant, releasing }) => ({
      shard: lease.shard,
      sessions: tenant.sessions,
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
    const { store, timings } = this.#deps;
    const host = this.#host;
    await tenant.drain(timings.jobDrain);
    const lost = lease.ended.aborted;
    lease.end();
    if (lost || host === undefined) return;
    try {
      await store.release(lease.shard, host.id, lease.epoch);
      this.#logger.info({ shard: lease.shard, epoch: lease.epoch }, 'shard released');
    } catch (error) {
      // The row still names this host without a lease: the next look frees it or takes it anew.
      this.#logger.warn({ err: error, shard: lease.shard }, 'could not release');
    }
  }

  async #dropStolen(holding: Holding): Promise<void> {
    this.#logger.error({ shard: holding.lease.shard }, 'shard has a new owner, dropping it');
    holding.lease.end();
    this.#holdings.delete(holding.lease.shard);
    await holding.tenant.abort();
  }
}
