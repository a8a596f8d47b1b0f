import type { EventEnvelope } from '../../contracts/events.ts';
import { DependencyError } from '../../domain/errors.ts';
import type { EventBus } from '../../ports/event-bus.ts';

export interface MemoryEventBusOptions {
  /** Called for every event that is taken, in order, before `publish` resolves. */
  readonly target?: (event: EventEnvelope) => void | Promise<void>;
}

/** Keeps what was published; refuses on request. */
export class MemoryEventBus implements EventBus {
  readonly events: EventEnvelope[] = [];
  readonly #target: MemoryEventBusOptions['target'];
  #refusals: 'none' | 'call' | ((event: EventEnvelope) => boolean) = 'none';

  constructor({ target }: MemoryEventBusOptions = {}) {
    this.#target = target;
  }

  /** What happens from now on: every call fails, the matching entries fail, or nothing does. */
  refuse(what: 'none' | 'call' | ((event: EventEnvelope) => boolean)): void {
    this.#refusals = what;
  }

  async publish(events: readonly EventEnvelope[]): Promise<readonly number[]> {
    if (this.#refusals === 'call') throw new DependencyError('The bus does not answer');
    const failed: number[] = [];
    for (const [index, event] of events.entries()) {
      if (this.#refusals !== 'none' && this.#refusals(event)) {
        failed.push(index);
        continue;
      }
      this.events.push(structuredClone(event));
      await this.#target?.(event);
    }
    return failed;
  }
}
