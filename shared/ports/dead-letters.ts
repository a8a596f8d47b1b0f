import type { DependencyError } from '../domain/errors.ts';

export interface BroughtBack {
  readonly count: number;
  /** What has ended it early. What was put back is not lost, and may come twice. */
  readonly failure: DependencyError | undefined;
}

/** What nobody brings to webhooks, or to streams, any more, as it has failed so often: events, timers, tasks. */
export interface DeadLetters {
  /**
   * Puts the oldest back into their queues, to be tried again from the beginning; several thousand at most. What cannot be
   * read stays, for people to see.
   * @param mayGoOn asked before each batch, which takes a second or so; what is left then is for a later call
   */
  bringBack(mayGoOn: () => boolean): Promise<BroughtBack>;
}
