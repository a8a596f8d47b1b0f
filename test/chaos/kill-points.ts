/** Calls of a host to the world around it at which it can be made to end. */
export const KILL_CALLS = [
  'journal-append',
  'checkpoint-put',
  'session-report',
  'job-prepare',
  'job-advance',
  'log-append',
  'bus-publish',
  'queue-receive',
  'queue-done',
  'queue-postpone',
  'ownership-acquire',
  'ownership-release',
  'ownership-heartbeat',
  'wire-send',
] as const;
export type KillCall = (typeof KILL_CALLS)[number];

/** Before the call is sent; when it is sent and not answered; when it is answered and nobody has heard the answer. */
const MOMENTS = ['before', 'during', 'after'] as const;
export type KillMoment = (typeof MOMENTS)[number];

export type KillPoint = `${KillCall}:${KillMoment}`;

export const KILL_POINTS: readonly KillPoint[] = KILL_CALLS.flatMap((call) =>
  MOMENTS.map((moment): KillPoint => `${call}:${moment}`),
);

/** Calls that a host makes when it is told to stop, and seldom otherwise. */
export const CALLS_OF_A_DRAIN: ReadonlySet<KillCall> = new Set(['checkpoint-put', 'ownership-release']);
/** Calls of a host that has nothing yet. */
export const CALLS_OF_A_START: ReadonlySet<KillCall> = new Set(['ownership-acquire']);

export function callOf(point: KillPoint): KillCall {
  const call = KILL_CALLS.find((each) => point.startsWith(`${each}:`));
  if (call === undefined) throw new Error(`${point} is no point.`);
  return call;
}

/** The points that a name stands for: one, or all three of a call. @throws Error when there is no such name */
export function killPointsNamed(name: string): readonly KillPoint[] {
  const named = KILL_POINTS.filter((point) => point === name || callOf(point) === name);
  if (named.length > 0) return named;
  throw new Error(
    `There is no point ${name}. Points are CALL:${MOMENTS.join('|')} with CALL of ${KILL_CALLS.join(', ')}.`,
  );
}
