import type { EventEnvelope } from '#shared/contracts/events.ts';
import type { EventBus } from '#shared/ports/event-bus.ts';
import type { EventLog } from '#shared/ports/event-log.ts';

/**
 * A bus that tells of an event only when the log has it: whoever it wakes finds the event there, and all before it. Between
 * log and bus the shard can be lost, so that is asked once more.
 */
export class LoggedEventBus implements EventBus {
  readonly #log: Pick<EventLog, 'append'>;
  readonly #bus: EventBus;
  /**
   * What the log has taken and the bus refused is told again, but not logged again: in a row of its own it would lie in front of those that
   * it was logged with, and hide them from readers.
   */
  readonly #logged = new WeakSet<EventEnvelope>();

  constructor(log: Pick<EventLog, 'append'>, bus: EventBus) {
    this.#log = log;
    this.#bus = bus;
  }

  /**
   * @param events what was refused comes again as the same object
   * @param isOurs whether an event is still this host's to tell; the others are not taken
   */
  async publish(
    events: readonly EventEnvelope[],
    isOurs: (index: number) => boolean = () => true,
  ): Promise<readonly number[]> {
    const failed = await this.#append(events);
    const logged = [...events.entries()].filter(([index]) => !failed.has(index));
    for (const [index] of logged) if (!isOurs(index)) failed.add(index);
    const told = logged.filter(([index]) => !failed.has(index));
    if (told.length === 0) return [...failed];
    const untold = new Set(await this.#bus.publish(told.map(([, event]) => event)));
    return [...failed, ...told.flatMap(([index], at) => (untold.has(at) ? [index] : []))];
  }

  /** @returns indexes of the events that the log has not */
  async #append(events: readonly EventEnvelope[]): Promise<Set<number>> {
    const fresh = [...events.entries()].filter(([, event]) => !this.#logged.has(event));
    if (fresh.length === 0) return new Set();
    const refused = new Set(await this.#log.append(fresh.map(([, event]) => event)));
    const failed = new Set<number>();
    for (const [at, [index, event]] of fresh.entries()) {
      if (refused.has(at)) failed.add(index);
      else this.#logged.add(event);
    }
    return failed;
  }
}
