import { type EventEnvelope, eventEnvelopeSchema } from '../../contracts/events.ts';
import { DependencyError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventLog, LoggedEvent, Search, SearchPlace, Telling } from '../../ports/event-log.ts';
import { systemClock } from '../system-clock.ts';

/** Looked through by one call. */
const SEARCHED_EVENTS = 3;

/** Keeps everything; refuses on request. */
export class MemoryEventLog implements EventLog {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #sessions = new Map<string, readonly LoggedEvent[]>();
  #refusals: 'none' | 'call' | ((event: EventEnvelope) => boolean) = 'none';

  constructor(clock: Pick<Clock, 'now'> = systemClock) {
    this.#clock = clock;
  }

  /** What happens from now on: every call fails, the matching events and those behind them fail, or nothing does. */
  refuse(what: 'none' | 'call' | ((event: EventEnvelope) => boolean)): void {
    this.#refusals = what;
  }

  async append(events: readonly EventEnvelope[]): Promise<readonly number[]> {
    if (this.#refusals === 'call') throw new DependencyError('The log does not answer');
    const failed: number[] = [];
    const stopped = new Set<string>();
    for (const [index, envelope] of events.entries()) {
      const { session } = envelope;
      if (this.#refusals !== 'none' && this.#refusals(envelope)) stopped.add(session);
      if (stopped.has(session)) failed.push(index);
      else this.#take(envelope);
    }
    return failed;
  }

  async read(session: string, after: number, limit: number): Promise<readonly LoggedEvent[]> {
    const later = this.#events(session).filter(({ envelope }) => envelope.seq > after);
    const readable = later.filter(({ envelope }) => eventEnvelopeSchema.safeParse(envelope).success);
    return structuredClone(readable.slice(0, limit));
  }

  async find(session: string, eventIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const all = this.#events(session).map(({ envelope: { id, seq } }) => [id, seq] as const);
    return new Map(all.toReversed().filter(([id]) => eventIds.includes(id)));
  }

  async findSome(session: string, eventIds: readonly string[], telling: Telling, from?: SearchPlace): Promise<Search> {
    if (eventIds.length === 0) return { found: new Map() };
    const all = this.#events(session);
    const rest = all.filter(({ envelope: { seq } }) => from === undefined || seq < Number(from.place));
    const some = rest.slice(-SEARCHED_EVENTS);
    const found = new Map(
      (telling === 'first' ? some.toReversed() : some).flatMap(({ envelope: { id, seq }, loggedAt }) =>
        eventIds.includes(id) ? [[id, { seq, loggedAt }] as const] : [],
      ),
    );
    const oldest = some[0]?.envelope.seq;
    const newest = from?.newest ?? all.at(-1)?.loggedAt ?? 0;
    const hasAll = telling === 'last' && eventIds.every((id) => found.has(id));
    const isOver = oldest === undefined || rest.length === some.length || hasAll;
    return isOver ? { found } : { found, next: { place: String(oldest), newest } };
  }

  async lastBefore(session: string, time: number): Promise<number> {
    return this.#events(session).findLast(({ loggedAt }) => loggedAt < time)?.envelope.seq ?? 0;
  }

  async deleteSome(session: string): Promise<boolean> {
    this.#sessions.delete(session);
    return true;
  }

  #take(envelope: EventEnvelope): void {
    const events = this.#events(envelope.session);
    if (events.some(({ envelope: { seq } }) => seq === envelope.seq)) return;
    const logged = { envelope: structuredClone(envelope), loggedAt: this.#clock.now() };
    this.#sessions.set(
      envelope.session,
      [...events, logged].sort((a, b) => a.envelope.seq - b.envelope.seq),
    );
  }

  #events(session: string): readonly LoggedEvent[] {
    return this.#sessions.get(session) ?? [];
  }
}
