export interface ThrottleOptions {
  /** Requests per second, on average. */
  readonly rate: number;
  /** Requests that may come at once. */
  readonly burst: number;
}

const MAX_BUCKETS = 10_000;

/**
 * A token bucket per caller.
 *
 * @param nowMs a monotonic clock in milliseconds
 */
export function createThrottle(
  { rate, burst }: ThrottleOptions,
  nowMs: () => number = () => performance.now(),
): (caller: string) => boolean {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (caller) => {
    const at = nowMs();
    const bucket = buckets.get(caller) ?? { tokens: burst, at };
    const tokens = Math.min(burst, bucket.tokens + ((at - bucket.at) / 1000) * rate);
    const allowed = tokens >= 1;
    buckets.delete(caller);
    buckets.set(caller, { tokens: allowed ? tokens - 1 : tokens, at });
    // The first key is the one not seen for the longest time; by now its bucket is full again.
    const [oldest] = buckets.keys();
    if (buckets.size > MAX_BUCKETS && oldest !== undefined) buckets.delete(oldest);
    return allowed;
  };
}
