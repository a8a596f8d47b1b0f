import type { EventEnvelope } from '../contracts/events.ts';
import type { JobRow } from '../contracts/jobs.ts';
import { tag } from './log-tags.ts';

/** What a line about a job says of it. */
export function jobFields({ session, jobId, traceparent }: Pick<JobRow, 'session' | 'jobId' | 'traceparent'>) {
  return { session: tag(session), jobId, traceparent };
}

export type EventSubject = Pick<EventEnvelope, 'id' | 'session' | 'traceparent'> & {
  /** Its name. */
  readonly event?: string;
};

/** What a line about an event says of it. */
export function eventFields({ id, session, event, traceparent }: EventSubject) {
  return { session: tag(session), event: id, type: event, traceparent };
}
