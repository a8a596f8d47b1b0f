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

  constructor(log: Pick<EventLog, 'append'>, bus: EventBus) {
    this.#log = log;
    this.#bus = bus;
  }

  /** @param isOurs whether an event is still this host's to tell; the others are not taken */
  async publish(
    events: readonly EventEnvelope[],
    isOurs: (index: number) => boolean = () => true,
  ): Promise<readonly number[]> {
    const failed = new Set(await this.#log.append(events));
    const logged = [...events.entries()].filter(([index]) => !failed.has(index));
    for (const [index] of logged) if (!isOurs(index)) failed.add(index);
    const told = logged.filter(([index]) => !failed.has(index));
    if (told.length === 0) return [...failed];
    const untold = new Set(await this.#bus.publish(told.map(([, event]) => event)));
    return [...failed, ...told.flatMap(([index], at) => (untold.has(at) ? [index] : []))];
  }
}
