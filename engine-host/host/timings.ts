import { SHARD_VISIBILITY_SECONDS } from '#shared/contracts/queue-definitions.ts';
import { ConfigError } from './config-error.ts';

/** Durations that depend on each other, in milliseconds. */
export interface HostTimings {
  readonly heartbeat: number;
  /** After this long without a good heartbeat (counted from its sending) the host does nothing any more. */
  readonly suspendAfter: number;
  /** After this long without movement a host is declared dead by another. */
  readonly deadAfter: number;
  /** After this long without a turn of its event loop a host ends itself: it is not busy, it hangs. */
  readonly stallAfter: number;
  /** Pause between two looks at hosts and shards. */
  readonly observe: number;
  /** How long changes of a session may be in its journal alone, before they go into a checkpoint. */
  readonly checkpointInterval: number;
  /** How long a whole drain may take. */
  readonly drain: number;
  /** How long running jobs may take to end when their shard is handed over. */
  readonly jobDrain: number;
  /** How long a hand-over waits for the bus; what the journal keeps is published by the next owner. */
  readonly publishPatience: number;
  /** Pause between two listings of a shard's sessions. */
  readonly scan: number;
  /** How long a message of a shard's queue stays hidden after it was received or its hiding was extended. */
  readonly invisible: number;
  /** Longest pause between two pings of a connection to WhatsApp. */
  readonly ping: number;
  /** Silence after a ping from which on the connection is dead. */
  readonly pingAnswer: number;
  /** A drop that is mended within this time is not reported. */
  readonly blip: number;
  /** How long a session that was replaced by a stranger stays away. */
  readonly conflictWait: number;
}

export const DEFAULT_TIMINGS: HostTimings = {
  heartbeat: 2_000,
  suspendAfter: 5_000,
  deadAfter: 7_000,
  stallAfter: 60_000,
  observe: 1_000,
  checkpointInterval: 900_000,
  drain: 110_000,
  jobDrain: 10_000,
  publishPatience: 10_000,
  scan: 30_000,
  invisible: SHARD_VISIBILITY_SECONDS * 1_000,
  ping: 30_000,
  pingAnswer: 10_000,
  blip: 10_000,
  conflictWait: 60_000,
};

/** An engine's stop and the last checkpoint. */
const REST_OF_HAND_OVER_MS = 5_000;

interface Rule {
  readonly holds: (t: HostTimings) => boolean;
  /** Names the variable that is to be changed, where there is one. */
  readonly otherwise: string;
}

const RULES: readonly Rule[] = [
  {
    holds: (t) => t.suspendAfter >= 2 * t.heartbeat,
    otherwise: 'SUSPEND_AFTER_MS must be at least twice HEARTBEAT_MS, or one lost heartbeat stops the host',
  },
  {
    // The margin covers differing clock rates and calls that are under way when the host suspends itself.
    holds: (t) => t.deadAfter >= 1.25 * t.suspendAfter,
    otherwise: 'DEAD_AFTER_MS must be at least 1.25 times SUSPEND_AFTER_MS, or two hosts may act at once',
  },
  {
    holds: (t) => t.stallAfter >= 2 * t.deadAfter,
    otherwise: 'STALL_AFTER_MS must be at least twice DEAD_AFTER_MS, or a busy moment ends the host',
  },
  {
    holds: (t) => t.observe <= t.deadAfter - t.suspendAfter,
    otherwise: 'OBSERVE_MS must not be longer than from SUSPEND_AFTER_MS to DEAD_AFTER_MS, or deaths are seen late',
  },
  {
    holds: (t) => t.jobDrain + t.publishPatience + REST_OF_HAND_OVER_MS <= t.drain,
    otherwise: `DRAIN_MS must leave ${DEFAULT_TIMINGS.publishPatience + REST_OF_HAND_OVER_MS} ms after JOB_DRAIN_MS, or what is running is cut off`,
  },
  {
    // Extended every third of it, the last time up to a third before the heartbeat was overdue.
    holds: (t) => (2 / 3) * t.invisible >= t.deadAfter,
    otherwise: 'DEAD_AFTER_MS must be at most 10000, or jobs come again to a host that is only suspended',
  },
  {
    holds: (t) => t.conflictWait >= 2 * t.deadAfter,
    otherwise: 'DEAD_AFTER_MS must be at most half of what a replaced session waits, or two hosts take turns',
  },
];

/** @throws ConfigError when the durations do not go together */
export function hostTimings(changes: Partial<HostTimings> = {}): HostTimings {
  const timings = { ...DEFAULT_TIMINGS, ...changes };
  const broken = RULES.find(({ holds }) => !holds(timings));
  if (broken !== undefined) throw new ConfigError(broken.otherwise);
  return timings;
}
