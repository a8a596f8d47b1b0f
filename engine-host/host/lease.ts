import { NotOwnerError, TrunklineError } from '#shared/domain/errors.ts';
import { sleep } from './sleep.ts';

/** The right to act for a shard's sessions, under one epoch. It ends once and never comes back. */
export interface ShardLease {
  readonly shard: string;
  readonly epoch: number;
  /** Aborted when the lease has ended: released, or lost for certain. */
  readonly ended: AbortSignal;
  /**
   * Called right before every side effect.
   * @throws LeaseSuspendedError when the host's heartbeat is overdue and nobody knows yet who owns the shard
   * @throws NotOwnerError when the lease has ended
   */
  assertOwned(): void;
  /** Resolves when side effects are allowed (again). @throws NotOwnerError when the lease has ended */
  usable(): Promise<void>;
  /**
   * Reads the shard's row anew, strongly. Resolves when the shard is still ours.
   * @throws NotOwnerError when it is another's: the lease has ended by then
   * @throws DependencyError when it cannot be read
   */
  confirm(): Promise<void>;
}

/** No side effects for now: the last good heartbeat is too long ago. The shard may still be ours. */
export class LeaseSuspendedError extends NotOwnerError {
  override readonly retryable = true;
}

/** True when ownership is gone for good, as opposed to suspended. */
export function isLost(error: unknown): error is NotOwnerError {
  return error instanceof NotOwnerError && !(error instanceof LeaseSuspendedError);
}

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;

/**
 * Repeats an idempotent write until it succeeds, with growing pauses, as long as the lease lasts.
 * @throws NotOwnerError when the lease ends; any other expected failure that repeating cannot cure
 */
export async function whileOwned<T>(
  lease: ShardLease,
  operation: () => Promise<T>,
  onFailure: (error: unknown, attempt: number) => void,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    await lease.usable();
    try {
      return await operation();
    } catch (error) {
      if (error instanceof TrunklineError && !error.retryable) throw error;
      if (!(error instanceof LeaseSuspendedError)) onFailure(error, attempt);
      await sleep(Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 10)), lease.ended);
    }
  }
}
