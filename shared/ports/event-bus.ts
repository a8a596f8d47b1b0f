import type { EventEnvelope } from '../contracts/events.ts';

/** The bus. */
export interface EventBus {
  /**
   * Puts up to 10 events; a detail over 200 KB goes to the media bucket and the entry points to it.
   * @returns indexes of the events that the bus did not take
   * @throws DependencyError when the whole call failed
   */
  publish(events: readonly EventEnvelope[]): Promise<readonly number[]>;
}
