import type { Logger } from 'pino';
import type { ReceivedShardMessage, ShardQueue } from '#shared/ports/shard-queue.ts';
import type { ShardLease } from '../host/lease.ts';
import { sleep } from '../host/sleep.ts';
import type { Slots } from './slots.ts';

export interface ShardPollerDeps {
  readonly lease: ShardLease;
  readonly queue: ShardQueue;
  readonly slots: Slots;
  readonly logger: Logger;
}

const PAUSE_AFTER_FAILURE_MS = 1_000;

/**
 * The messages of a shard, by long polls, until `signal` is aborted or the lease ends. Each one takes a slot, which
 * its handler gives back. The next poll does not wait for handlers, only for a free slot.
 */
export async function* shardMessages(
  { lease, queue, slots, logger }: ShardPollerDeps,
  signal: AbortSignal,
): AsyncGenerator<ReceivedShardMessage, void, undefined> {
  const over = AbortSignal.any([signal, lease.ended]);
  while (!over.aborted) {
    await slots.free(over);
    try {
      await lease.usable();
      if (over.aborted) return;
      for (const message of await queue.receive(lease.shard, over)) {
        slots.take();
        yield message;
      }
    } catch (error) {
      if (over.aborted) return;
      logger.warn({ err: error, shard: lease.shard }, 'could not receive');
      await sleep(PAUSE_AFTER_FAILURE_MS, over);
    }
  }
}
