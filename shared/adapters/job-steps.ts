import { FINISHED_STATES, type JobRow, type JobState, OPEN_STATES } from '../contracts/jobs.ts';

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

/** Sorts the open jobs of a shard by session, and those of a session by age. */
export function openPlace({ session, createdAt }: Pick<JobRow, 'session' | 'createdAt'>): string {
  return `${openPlacePrefix(session)}${String(createdAt).padStart(15, '0')}`;
}

/** What the places of a session's open jobs begin with. */
export function openPlacePrefix(session: string): string {
  return `${session}#`;
}
