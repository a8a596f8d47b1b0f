import { FINISHED_STATES, JOB_STATES, type JobState } from '../contracts/jobs.ts';

/** States in which an engine still has something to do. */
export const OPEN_STATES: readonly JobState[] = JOB_STATES.filter((state) => !FINISHED_STATES.has(state));

/** The only way on after an end: what receipts tell about a message that the server has. */
const RECEIPTS: readonly JobState[] = ['SENT', 'DELIVERED', 'READ', 'PLAYED'];

/**
 * States from which a job may come into `next`. An open state may be written again, so that a new owner can put its
 * epoch on the row.
 */
export function statesBefore(next: JobState): readonly JobState[] {
  if (FINISHED_STATES.has(next)) return [...OPEN_STATES, ...RECEIPTS.slice(0, Math.max(0, RECEIPTS.indexOf(next)))];
  return OPEN_STATES.slice(0, OPEN_STATES.indexOf(next) + 1);
}
