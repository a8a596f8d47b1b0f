import type { Logger } from 'pino';
import { NotOwnerError } from '#shared/domain/errors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Heartbeat, HostNews, Pulse, Registration } from './heartbeat/heartbeat.ts';
import { LeaseSuspendedError, type ShardLease } from './lease.ts';

export interface HostIncarnationDeps {
  readonly heartbeat: Heartbeat;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Milliseconds after the sending of the last good heartbeat from which on nothing is done. */
  readonly suspendAfter: number;
  readonly logger: Logger;
}

/**
 * One registration of this host, and the leases it has. All of them live by its heartbeat: they are suspended
 * together when it is overdue, and end together when it is lost.
 */
export class HostIncarnation {
  readonly id: string;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #suspendAfter: number;
  readonly #pulse: Pulse;
  readonly #lost = new AbortController();
  readonly #resumed = new Set<() => void>();

  /** Begins the heartbeat of a registration that was accepted. */
  constructor(registration: Registration, { heartbeat, clock, suspendAfter, logger }: HostIncarnationDeps) {
    this.id = registration.incarnation;
    this.#clock = clock;
    this.#suspendAfter = suspendAfter;
    this.#pulse = heartbeat.begin(registration, {
      good: () => this.#resume(),
      lost: () => this.lose(),
      failed: (error) => logger.warn({ err: error, suspended: this.suspended }, 'heartbeat failed'),
    });
  }

  say(news: HostNews): void {
    this.#pulse.say(news);
  }

  /** Ends the leases at once, and the heartbeat. */
  lose(): void {
    this.#lost.abort();
    void this.stop();
  }

  /** Ends the heartbeat; the leases follow when it is overdue. */
  stop(): Promise<void> {
    return this.#pulse.stop();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Known before `lost` is aborted where another thread has learned it and this one was busy. */
  get isLost(): boolean {
    return this.#lost.signal.aborted || this.#pulse.isLost;
  }

  get suspended(): boolean {
    return this.#clock.monotonic() > this.#pulse.sentAt + this.#suspendAfter;
  }

  /** @param confirm see `ShardLease`; it has to end the lease where the shard is another's */
  lease(shard: string, epoch: number, confirm: (lease: HostLease) => Promise<void>): HostLease {
    return new HostLease(this, shard, epoch, confirm);
  }

  /** Resolves when the heartbeat is good again or `signal` is aborted. */
  async resumed(signal: AbortSignal): Promise<void> {
    if (signal.aborted || !this.suspended) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#resumed.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#resumed.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #resume(): void {
    if (this.suspended || this.isLost) return;
    for (const resume of [...this.#resumed]) resume();
  }
}

export class HostLease implements ShardLease {
  readonly shard: string;
  readonly epoch: number;
  readonly ended: AbortSignal;
  readonly #host: HostIncarnation;
  readonly #end = new AbortController();
  readonly #confirm: (lease: HostLease) => Promise<void>;

  constructor(host: HostIncarnation, shard: string, epoch: number, confirm: (lease: HostLease) => Promise<void>) {
    this.#host = host;
    this.#confirm = confirm;
    this.shard = shard;
    this.epoch = epoch;
    this.ended = AbortSignal.any([this.#end.signal, host.lost]);
  }

  end(): void {
    this.#end.abort();
  }

  assertOwned(): void {
    this.#assertNotEnded();
    if (this.#host.suspended) throw new LeaseSuspendedError(`The heartbeat of shard ${this.shard}'s host is overdue`);
  }

  async usable(): Promise<void> {
    this.#assertNotEnded();
    while (this.#host.suspended) {
      await this.#host.resumed(this.ended);
      this.#assertNotEnded();
    }
  }

  async confirm(): Promise<void> {
    this.#assertNotEnded();
    await this.#confirm(this);
    this.#assertNotEnded();
  }

  #assertNotEnded(): void {
    if (this.ended.aborted || this.#host.isLost)
      throw new NotOwnerError(`Shard ${this.shard} is not owned under epoch ${this.epoch}`);
  }
}
