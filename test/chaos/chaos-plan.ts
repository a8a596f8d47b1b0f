import { KILL_POINTS, type KillPoint } from './kill-points.ts';
import { type Random, seeded } from './random.ts';

export const CHAOS_KINDS = ['kill', 'stop', 'drain', 'cut', 'stanza', 'aws'] as const;
export type ChaosKind = (typeof CHAOS_KINDS)[number];

export const AWS_SERVICES = ['dynamodb', 'sqs', 's3', 'eventbridge'] as const;
export type AwsService = (typeof AWS_SERVICES)[number];

/**
 * How calls fail: refused as too many; refused as the service's own failure; answered late; done without the caller
 * ever hearing of it; cut before they are done.
 */
export const AWS_FAILURES = ['throttle', 'fail', 'delay', 'lose-answer', 'reset'] as const;
export type AwsFailure = (typeof AWS_FAILURES)[number];

/** One thing to do, `at` milliseconds after the start. `pick` (0 to 1) chooses among what is there at that time. */
export type ChaosAction = { readonly at: number; readonly pick: number } & (
  | {
      readonly kind: 'kill';
      /** The host runs again after so many milliseconds. */
      readonly downMs: number;
      /** Whether it should be a host that has sessions. */
      readonly owner: boolean;
      /** Where the host is to end; undefined: wherever it happens to be. */
      readonly point?: KillPoint;
    }
  | { readonly kind: 'stop'; readonly forMs: number }
  | { readonly kind: 'drain' }
  | { readonly kind: 'cut' }
  | {
      readonly kind: 'stanza';
      readonly fault: 'drop' | 'duplicate' | 'delay';
      readonly tag: 'message' | 'receipt';
      readonly count: number;
      readonly ms: number;
    }
  | {
      readonly kind: 'aws';
      readonly service: AwsService;
      readonly failure: AwsFailure;
      /** Part of the calls that are hit. */
      readonly rate: number;
      readonly forMs: number;
      readonly delayMs: number;
    }
);

export interface ChaosWish {
  readonly seed: number;
  readonly seconds: number;
  /** How often each kind is to happen. */
  readonly counts: Readonly<Record<ChaosKind, number>>;
  /** Every kill is to be at one of these. @default half of them at any point, half wherever the host is */
  readonly killAt?: readonly KillPoint[];
}

/**
 * Kills come in cycles, as parts of which the times are given: one kill, then peace in which its sessions can come back,
 * then the others one after the other, so that they meet hosts that are starting, restoring and taking over, then peace.
 */
const KILLS_PER_CYCLE = 13;
const LONE_KILL = 0.15;
const STORM_BEGINS = 0.6;
const STORM_ENDS = 0.85;
/** How many kills are meant for hosts with sessions, how many for a named point, how many hosts are soon back. */
const OWNER_SHARE = 0.85;
const POINT_SHARE = 0.5;
const SOON_BACK_SHARE = 0.7;

/** How often everything but kills happens in a run of this length. */
export function usualCounts(seconds: number, kills: number, kinds: ReadonlySet<ChaosKind>): ChaosWish['counts'] {
  const every = (kind: ChaosKind, pause: number) => (kinds.has(kind) ? Math.max(1, Math.floor(seconds / pause)) : 0);
  return {
    kill: kinds.has('kill') ? kills : 0,
    stop: every('stop', 45),
    drain: every('drain', 15),
    cut: every('cut', 4),
    stanza: every('stanza', 3),
    aws: every('aws', 8),
  };
}

/** The whole schedule of a run, in order of time; the same for the same wish. */
export function planChaos({ seed, seconds, counts, killAt }: ChaosWish): readonly ChaosAction[] {
  const actions = CHAOS_KINDS.flatMap((kind, index) => {
    // A stream of its own for each kind: more of one does not change the others.
    const random = seeded(seed * 31 + index);
    const length = seconds * 1000;
    const times = kind === 'kill' ? killTimes(counts.kill, length, random) : spread(counts[kind], 0, length, random);
    return times.map((at) => action(kind, at, random, killAt));
  });
  return actions.sort((a, b) => a.at - b.at);
}

/** Moments at about the same distance from each other. */
function spread(count: number, from: number, length: number, random: Random): readonly number[] {
  return Array.from({ length: count }, (_, number) => Math.floor(from + ((number + random.next()) * length) / count));
}

function killTimes(count: number, length: number, random: Random): readonly number[] {
  const cycles = Math.ceil(count / KILLS_PER_CYCLE);
  const cycle = length / Math.max(1, cycles);
  return Array.from({ length: cycles }, (_, number) => {
    const kills = Math.floor((count * (number + 1)) / cycles) - Math.floor((count * number) / cycles);
    const start = number * cycle;
    const storm = spread(kills - 1, start + STORM_BEGINS * cycle, (STORM_ENDS - STORM_BEGINS) * cycle, random);
    return [Math.floor(start + LONE_KILL * cycle), ...storm];
  }).flat();
}

function action(kind: ChaosKind, at: number, random: Random, killAt?: readonly KillPoint[]): ChaosAction {
  const base = { at, pick: random.next() };
  switch (kind) {
    case 'kill': {
      // Soon back, so that it finds its own shards; or so late that others have taken them.
      const downMs = Math.floor(random.chance(SOON_BACK_SHARE) ? random.between(0, 1_500) : 12_000);
      const owner = random.chance(OWNER_SHARE);
      const atPoint = random.chance(POINT_SHARE);
      const point = random.pick(killAt ?? KILL_POINTS);
      return { ...base, kind, downMs, owner, ...((atPoint || killAt !== undefined) && { point }) };
    }
    case 'stop':
      return { ...base, kind, forMs: 10_000 };
    case 'drain':
    case 'cut':
      return { ...base, kind };
    case 'stanza': {
      const fault = random.pick(['drop', 'duplicate', 'delay'] as const);
      // A lost request to send something again would be a loss that nobody could prevent.
      const tag = fault === 'drop' ? 'message' : random.pick(['message', 'receipt'] as const);
      const count = Math.ceil(random.between(0, 3));
      return { ...base, kind, fault, tag, count, ms: Math.floor(random.between(50, 2_000)) };
    }
    case 'aws':
      return {
        ...base,
        kind,
        service: random.pick(AWS_SERVICES),
        failure: random.pick(AWS_FAILURES),
        rate: random.pick([0.2, 0.5, 1]),
        forMs: Math.floor(random.between(500, 6_000)),
        delayMs: Math.floor(random.between(50, 1_500)),
      };
  }
}
