import { DependencyError } from '#shared/domain/errors.ts';
import type { Random } from '#test/chaos/random.ts';
import type { SimProcess, Timeline } from './timeline.ts';

export type Service = 'ownership' | 'journal' | 'rows' | 'objects' | 'queue' | 'log' | 'bus';

/** How a process fares with the services around it. */
export interface Weather {
  /** Share of its calls that go wrong. */
  trouble: number;
  /** Services that it cannot reach at all. */
  readonly cut: Set<Service>;
}

/** Calls of processes to what is around them: late, failing, or done without an answer. */
export class Calls {
  calm = false;
  readonly #timeline: Timeline;
  readonly #random: Random;

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
  }

  make<T>(process: SimProcess, service: Service, weather: Weather, effect: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const there = this.#latency();
    const back = this.#latency();
    const answer = (delay: number, tell: () => void) => void this.#timeline.in(process, delay, tell);
    const refuse = (delay: number) => answer(delay, () => reject(new DependencyError('no answer')));
    const arrive = (delay: number, tell: (outcome: () => void) => void, mayLinger = true): void =>
      void this.#timeline.in(undefined, delay, () => {
        // What a process had sent when it died may not have left its machine, or is still on its way.
        if (!process.alive && mayLinger) {
          if (this.#random.chance(0.6)) arrive(this.#random.between(1, 20_000), tell, false);
          return;
        }
        void effect().then(
          (value) => tell(() => resolve(value)),
          (error: unknown) => tell(() => reject(error)),
        );
      });
    const fate = this.#fate(service, weather);
    if (fate === 'fails') refuse(there + back);
    else if (fate === 'answer-lost') arrive(there, () => refuse(this.#random.between(50, 1500)));
    else if (fate === 'comes-late') {
      refuse(this.#random.between(50, 1000));
      arrive(this.#random.between(1000, 15_000), () => {});
    } else arrive(there, (outcome) => answer(back, outcome));
    return promise;
  }

  #fate(service: Service, { trouble, cut }: Weather): 'works' | 'fails' | 'answer-lost' | 'comes-late' {
    if (this.calm) return 'works';
    if (cut.has(service)) return 'fails';
    if (!this.#random.chance(trouble)) return 'works';
    return this.#random.pick(['fails', 'answer-lost', 'comes-late']);
  }

  #latency(): number {
    return this.#random.chance(0.03) && !this.calm ? this.#random.between(20, 800) : this.#random.between(0.5, 8);
  }
}
