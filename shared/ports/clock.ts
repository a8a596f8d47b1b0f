/** Time, so that tests can own it. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. For people and for WhatsApp, never for ownership. */
  now(): number;
  /** Monotonic clock, milliseconds from an arbitrary start. For every duration. */
  monotonic(): number;
}
