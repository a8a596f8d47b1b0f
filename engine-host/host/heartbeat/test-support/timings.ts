/** Wide apart: a shared machine is now and then busy for a second. */
export const EVERY_MS = 100;
export const SUSPEND_AFTER_MS = 2_500;
export const DEAD_AFTER_MS = 3_500;
export const BUSY_MS = 5_000;
export const STALL_AFTER_MS = 2_000;
