import { createHash } from 'node:crypto';
import type { ShardMessage } from '../contracts/jobs.ts';
import type { Lane } from '../ports/shard-queue.ts';

const SUFFIXES: Readonly<Record<Lane, string>> = {
  sends: '',
  control: '#cmd',
  parked: '#parked',
  ended: '#ended',
};

/** Message group of a lane: the lanes of one session do not wait for each other. */
export function laneGroup(message: ShardMessage, lane: Lane): string {
  return `${message.session}${SUFFIXES[lane]}`;
}

/** The same within a lane wherever the queue looks for duplicates: in the message group or in the whole queue. */
export function deduplicationKey(group: string, id: string): string {
  return createHash('sha256').update(`${group}\0${id}`).digest('hex');
}
