import { createHash } from 'node:crypto';
import type { ShardMessage } from '../contracts/jobs.ts';

/** Message group of a lane: sends and control commands of one session do not wait for each other. */
export function laneGroup(message: ShardMessage, lane: 'sends' | 'control'): string {
  return lane === 'control' ? `${message.session}#cmd` : message.session;
}

/** The same within a lane wherever the queue looks for duplicates: in the message group or in the whole queue. */
export function deduplicationKey(group: string, id: string): string {
  return createHash('sha256').update(`${group}\0${id}`).digest('hex');
}
