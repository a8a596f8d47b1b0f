/** Time as the local cloud sees it; tests put their own in. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Runs `task` after `delayMs`; the answer cancels it. Does not keep the process alive. */
  schedule(delayMs: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
