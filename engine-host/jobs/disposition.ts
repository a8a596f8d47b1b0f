/** Something that may happen before the time is over. */
export interface Waitable {
  /** Calls back when it happens, or has happened by now. @returns takes the wish back */
  once(callback: () => void): () => void;
}

/** What becomes of a job's message on the queue after a try. */
export type Disposition =
  /** The end is recorded in the job's row. */
  | { readonly kind: 'done' }
  /** Comes again after `seconds`, or earlier: when `until` happens. What is behind it in the lane waits too. */
  | { readonly kind: 'postpone'; readonly seconds: number; readonly until?: Waitable }
  /** Goes on in the lane of parked sends; what is behind it need not wait. */
  | { readonly kind: 'park' }
  /** Recorded as failed, and kept for people to look at. */
  | { readonly kind: 'bury'; readonly reason: string }
  /** The lease has ended: another host takes it from here. */
  | { readonly kind: 'abandon' };

const FIRST_SECONDS = 2;
const LONGEST_SECONDS = 30;
/** After this many receives a message comes only every two minutes, so that the queue's own limit is never reached. */
const PATIENT_AFTER = 100;
const PATIENT_SECONDS = 120;

/** @param tries how often the message came, this time included */
export function waitSeconds(tries: number): number {
  if (tries > PATIENT_AFTER) return PATIENT_SECONDS;
  return Math.min(LONGEST_SECONDS, FIRST_SECONDS ** Math.max(1, tries));
}
