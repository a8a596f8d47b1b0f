import { NotOwnerError } from '#shared/domain/errors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import { LeaseSuspendedError, type ShardLease } from './lease.ts';

/**
 * One registration of this host, and the leases it has. All of them live by its heartbeat: they are suspended
 * together when it is overdue, and end together when it is lost.
 */
export class HostIncarnation {
  readonly id: string;
  readonly #clock: Clock;
  readonly #suspendAfter: number;
  readonly #lost = new AbortController();
  readonly #resumed = new Set<() => void>();
  #goodUntil: number;
  #rvn = 0;

  /** @param registeredAt monotonic time before the registration was sent */
  constructor(id: string, clock: Clock, suspendAfter: number, registeredAt: number) {
    this.id = id;
    this.#clock = clock;
    this.#suspendAfter = suspendAfter;
    this.#goodUntil = registeredAt + suspendAfter;
  }

  nextRvn(): number {
    this.#rvn += 1;
    return this.#rvn;
  }

  /** @param sentAt monotonic time before the heartbeat was sent */
  heartbeatAccepted(sentAt: number): void {
    this.#goodUntil = Math.max(this.#goodUntil, sentAt + this.#suspendAfter);
    if (this.suspended) return;
    for (const resume of [...this.#resumed]) resume();
  }

  lose(): void {
    this.#lost.abort();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get suspended(): boolean {
    return this.#clock.monotonic() > this.#goodUntil;
  }

  lease(shard: string, epoch: number): HostLease {
    return new HostLease(this, shard, epoch);
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
}

export class HostLease implements ShardLease {
  readonly shard: string;
  readonly epoch: number;
  readonly ended: AbortSignal;
  readonly #host: HostIncarnation;
  readonly #end = new AbortController();

  constructor(host: HostIncarnation, shard: string, epoch: number) {
    this.#host = host;
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

  #assertNotEnded(): void {
    if (this.ended.aborted) throw new NotOwnerError(`Shard ${this.shard} is not owned under epoch ${this.epoch}`);
  }
}
