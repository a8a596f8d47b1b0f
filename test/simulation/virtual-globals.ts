import { EPOCH_MS, type Happening, type SimProcess, type Timeline } from './timeline.ts';

/** What the host's code gets for a timer. */
class VirtualTimer {
  happening: Happening | undefined;

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  cancel(): void {
    if (this.happening !== undefined) this.happening.cancelled = true;
    this.happening = undefined;
  }
}

/**
 * Puts timers, clocks and chance of the code under a timeline. Code that runs outside of a simulated process keeps the
 * real ones.
 * @returns takes it back
 */
export function ownGlobals(timeline: Timeline, random: () => number): () => void {
  const real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
    setImmediate: globalThis.setImmediate,
  };
  const { now } = Date;
  const monotonic = performance.now.bind(performance);
  const chance = Math.random;
  type Call = (...args: never[]) => unknown;

  function later(process: SimProcess, ms: number, run: () => void): VirtualTimer {
    const timer = new VirtualTimer();
    timer.happening = timeline.in(process, Math.max(1, ms), run);
    return timer;
  }
  function repeat(process: SimProcess, timer: VirtualTimer, ms: number, run: () => void): void {
    timer.happening = timeline.in(process, Math.max(1, ms), () => {
      repeat(process, timer, ms, run);
      run();
    });
  }
  function clear(realClear: (timer: never) => void) {
    return (timer: unknown) => {
      if (timer instanceof VirtualTimer) timer.cancel();
      else Reflect.apply(realClear, undefined, [timer]);
    };
  }
  const own = <T extends Call>(realCall: T, ours: (process: SimProcess, ...args: Parameters<T>) => unknown) => {
    return (...args: Parameters<T>) =>
      timeline.current === undefined ? realCall(...args) : ours(timeline.current, ...args);
  };
  const globals: Readonly<Record<string, unknown>> = {
    setTimeout: own(real.setTimeout, (process: SimProcess, run: () => void, ms = 0) => later(process, ms, run)),
    setInterval: own(real.setInterval, (process: SimProcess, run: () => void, ms = 0) => {
      const timer = new VirtualTimer();
      repeat(process, timer, ms, run);
      return timer;
    }),
    setImmediate: own(real.setImmediate, (process: SimProcess, run: () => void) => {
      const timer = new VirtualTimer();
      timer.happening = timeline.in(process, 0, run);
      return timer;
    }),
    clearTimeout: clear(real.clearTimeout),
    clearInterval: clear(real.clearInterval),
  };
  for (const [name, value] of Object.entries(globals)) Reflect.set(globalThis, name, value);
  Date.now = () => (timeline.current === undefined ? now() : EPOCH_MS + Math.floor(timeline.now));
  performance.now = () => (timeline.current === undefined ? monotonic() : timeline.now);
  Math.random = () => (timeline.current === undefined ? chance() : random());
  return () => {
    for (const [name, value] of Object.entries(real)) Reflect.set(globalThis, name, value);
    Date.now = now;
    performance.now = monotonic;
    Math.random = chance;
  };
}
