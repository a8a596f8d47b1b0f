import { type Command, isSendCommand } from '#shared/contracts/commands.ts';

/** Why a try ends before its handler has. */
export type Interruption = 'timed-out' | 'engine-stopped' | 'job-over';

export class TryInterruptedError extends Error {
  readonly why: Interruption;
  constructor(why: Interruption) {
    super(`The try is over: ${why}`);
    this.why = why;
  }
}

export interface TryLimits {
  readonly ms: number;
  /** Aborted when the engine does nothing more. */
  readonly stopped: AbortSignal;
  /** Asked now and then whether somebody else has ended the job. Rejects where that is not known. */
  readonly isOver: () => Promise<boolean>;
}

const MINUTE_MS = 60_000;
/** A send that leaves as it should is never looked at. */
const LOOK_EVERY_MS = 10_000;

/** What a try of the command may take, in milliseconds: generous, but a handler that hangs must not hold its lane for ever. */
export function tryLimitMs(command: Command): number {
  return isSendCommand(command) || command.type === 'downloadMedia' ? 5 * MINUTE_MS : MINUTE_MS;
}

/**
 * Runs one try of a job. Nothing interrupts a handler: it is left alone, and must look at its signal before it does what
 * another try may do as well.
 *
 * @param work its signal is aborted when the try is over, whatever ends it
 * @throws TryInterruptedError
 */
export async function withinLimits<T>(
  { ms, stopped, isOver }: TryLimits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const interrupted = Promise.withResolvers<never>();
  const interrupt = (why: Interruption) => interrupted.reject(new TryInterruptedError(why));
  const stop = () => interrupt('engine-stopped');
  const look = () => {
    isOver().then(
      (isEnded) => {
        if (isEnded) interrupt('job-over');
      },
      // The next look may tell.
      () => undefined,
    );
  };
  const limit = setTimeout(() => interrupt('timed-out'), ms);
  const looks = setInterval(look, LOOK_EVERY_MS);
  stopped.addEventListener('abort', stop, { once: true });
  try {
    if (stopped.aborted) stop();
    return await Promise.race([work(over.signal), interrupted.promise]);
  } finally {
    clearTimeout(limit);
    clearInterval(looks);
    stopped.removeEventListener('abort', stop);
    over.abort(new Error('The try is over'));
  }
}
