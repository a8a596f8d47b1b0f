/** WAHA's retry policy, as a webhook's configuration has it. */
export interface WebhookRetries {
  readonly policy?: 'constant' | 'linear' | 'exponential' | null | undefined;
  readonly delaySeconds?: number | null | undefined;
  readonly attempts?: number | null | undefined;
}

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** Events that are older are not tried any more. */
export const WEBHOOK_WINDOW_MS = 72 * HOUR;

/** After the first try, 23 more within about 72 hours. */
const DEFAULT_SECONDS = [
  5,
  15,
  30,
  60,
  120,
  300,
  600,
  1_200,
  1_800,
  3_600,
  7_200,
  10_800,
  14_400,
  18_000,
  ...Array.from({ length: 9 }, () => 21_600),
];
const DEFAULT_JITTER = 0.1;

/** WAHA's. */
const WAHA_DEFAULTS = { policy: 'constant', delaySeconds: 2, attempts: 15 } as const;
const WAHA_EXPONENTIAL_JITTER = 0.2;
const LONGEST_DELAY_MS = 24 * HOUR;
const SHORTEST_DELAY_MS = SECOND;

/** An event that the receiver calls wrong gets so many tries in all. */
const PERMANENT_TRIES = 3;

/** Failures in a row, without a success, after which an endpoint is left alone. */
const BREAKER_FAILURES = 5;
const BREAKER_SECONDS = [5, 10, 20, 40, 80, 160, 300, 600, 900];

/**
 * How long to wait after a failed try.
 *
 * @param failures failed tries of this event, at least 1
 * @param random from 0 up to 1
 * @returns undefined when there is no further try
 */
export function retryDelayMs(
  retries: WebhookRetries | null | undefined,
  failures: number,
  random: number,
): number | undefined {
  if (retries === null || retries === undefined) {
    const seconds = DEFAULT_SECONDS[failures - 1];
    return seconds === undefined ? undefined : jittered(seconds * SECOND, DEFAULT_JITTER, random);
  }
  const policy = retries.policy ?? WAHA_DEFAULTS.policy;
  const delayMs = (retries.delaySeconds ?? WAHA_DEFAULTS.delaySeconds) * SECOND;
  if (failures > (retries.attempts ?? WAHA_DEFAULTS.attempts)) return undefined;
  return Math.min(Math.max(wahaDelayMs(policy, delayMs, failures, random), SHORTEST_DELAY_MS), LONGEST_DELAY_MS);
}

/** The same for an event that the receiver calls wrong. */
export function permanentRetryDelayMs(
  retries: WebhookRetries | null | undefined,
  failures: number,
  random: number,
): number | undefined {
  return failures >= PERMANENT_TRIES ? undefined : retryDelayMs(retries, failures, random);
}

/**
 * How long an endpoint is left alone.
 *
 * @param failures in a row
 * @returns undefined while it is not
 */
export function breakerDelayMs(failures: number, random: number): number | undefined {
  return failures < BREAKER_FAILURES ? undefined : breakerStepMs(failures - BREAKER_FAILURES, random);
}

/**
 * How long an event waits at least whose receiver has asked for time, however short that is.
 *
 * @param times that it has been asked for, for this event, at least 1
 */
export function limitedDelayMs(times: number, random: number): number {
  return breakerStepMs(times - 1, random);
}

function breakerStepMs(step: number, random: number): number {
  const seconds = BREAKER_SECONDS[Math.min(step, BREAKER_SECONDS.length - 1)] ?? 0;
  return jittered(seconds * SECOND, DEFAULT_JITTER, random);
}

function wahaDelayMs(
  policy: NonNullable<WebhookRetries['policy']>,
  delayMs: number,
  failures: number,
  random: number,
): number {
  switch (policy) {
    case 'constant':
      return delayMs;
    case 'linear':
      return delayMs * failures;
    case 'exponential':
      return jittered(delayMs * 2 ** (failures - 1), WAHA_EXPONENTIAL_JITTER, random);
  }
}

function jittered(ms: number, share: number, random: number): number {
  return Math.round(ms * (1 - share + 2 * share * random));
}
