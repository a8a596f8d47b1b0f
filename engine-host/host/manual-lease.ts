import { NotOwnerError } from '#shared/domain/errors.ts';
import { LeaseSuspendedError, type ShardLease } from './lease.ts';

/** A lease whose life a test decides. */
export class ManualLease implements ShardLease {
  readonly shard: string;
  readonly epoch: number;
  readonly #end = new AbortController();
  #suspended: PromiseWithResolvers<void> | undefined;

  constructor(shard = 'socket-00', epoch = 1) {
    this.shard = shard;
    this.epoch = epoch;
  }

  get ended(): AbortSignal {
    return this.#end.signal;
  }

  suspend(): void {
    this.#suspended ??= Promise.withResolvers<void>();
  }

  resume(): void {
    this.#suspended?.resolve();
    this.#suspended = undefined;
  }

  end(): void {
    this.#end.abort();
    this.resume();
  }

  assertOwned(): void {
    if (this.ended.aborted) throw new NotOwnerError('ended');
    if (this.#suspended !== undefined) throw new LeaseSuspendedError('suspended');
  }

  async usable(): Promise<void> {
    await this.#suspended?.promise;
    if (this.ended.aborted) throw new NotOwnerError('ended');
  }

  async confirm(): Promise<void> {
    this.assertOwned();
  }
}
