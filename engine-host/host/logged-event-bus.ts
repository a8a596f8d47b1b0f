import type { EventEnvelope } from '#shared/contracts/events.ts';
import type { EventBus } from '#shared/ports/event-bus.ts';
import type { EventLog } from '#shared/ports/event-log.ts';

/** A bus that tells of an event only when the log has it: whoever it wakes finds the event there, and all before it. */
export class LoggedEventBus implements EventBus {
  readonly #log: Pick<EventLog, 'append'>;
  readonly #bus: EventBus;

  constructor(log: Pick<EventLog, 'append'>, bus: EventBus) {
    this.#log = log;
    this.#bus = bus;
  }

  async publish(events: readonly EventEnvelope[]): Promise<readonly number[]> {
    const unlogged = new Set(await this.#log.append(events));
    const logged = [...events.entries()].filter(([index]) => !unlogged.has(index));
    if (logged.length === 0) return [...unlogged];
    const untold = new Set(await this.#bus.publish(logged.map(([, event]) => event)));
    return [...unlogged, ...logged.flatMap(([index], at) => (untold.has(at) ? [index] : []))];
  }
}
