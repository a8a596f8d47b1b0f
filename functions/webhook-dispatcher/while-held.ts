import type { Logger } from '#shared/observability/logger.ts';
import type { HeldWakes } from '#shared/ports/webhook-queue.ts';

/** So long an endpoint waits when the dispatcher that worked for it was killed. */
const HOLD_SECONDS = 10;
/** Two renewals in a row may fail. */
const RENEW_MS = 3_000;
/** The queue holds it no longer of itself. */
const LONGEST_REST_SECONDS = 30;

export interface HoldingDeps {
  readonly wakes: HeldWakes;
  readonly logger: Pick<Logger, 'warn'>;
}

/** A wake-up as it was received. */
export interface ReceivedWake {
  readonly receipt: string;
  /** How often it was received, this time included. */
  readonly receiveCount: number;
}

/**
 * Works on a wake-up and holds it for a few seconds at a time meanwhile. When the work fails it comes again the later the
 * more often it has come; when the process is killed, soon. If it cannot be held, it comes when the queue thinks so.
 *
 * @throws what `work` throws
 */
export async function whileHeld(
  { receipt, receiveCount }: ReceivedWake,
  work: () => Promise<void>,
  { wakes, logger }: HoldingDeps,
): Promise<void> {
  const hold = (seconds: number) =>
    wakes.hold(receipt, seconds).catch((error: unknown) => logger.warn({ err: error }, 'wake-up not held'));
  let held = hold(HOLD_SECONDS);
  const timer = setInterval(() => {
    held = held.then(() => hold(HOLD_SECONDS));
  }, RENEW_MS);
  const release = async () => {
    clearInterval(timer);
    // Of two changes at once nobody knows which is the last.
    await held;
  };
  try {
    await work();
  } catch (error) {
    await release();
    await hold(Math.min(2 ** receiveCount, LONGEST_REST_SECONDS));
    throw error;
  }
  await release();
}
