import type { EventEnvelope } from '../contracts/events.ts';

/** Events of one session as they lie in the log. */
export interface LoggedEvent {
  readonly envelope: EventEnvelope;
  /** Milliseconds since 1970 on the clock of the host that logged it. */
  readonly loggedAt: number;
}

/** Where a search goes on that is not over. Only the log knows what it says. */
export interface SearchPlace {
  readonly place: string;
  /** When the newest event was logged, milliseconds since 1970, at the search's beginning. */
  readonly newest: number;
}

/** An event is in the log as often as it was told, each time under another `seq`: which of them a search is for. */
export type Telling = 'first' | 'last';

/** What a part of a search has found, by id. */
export interface Search {
  readonly found: ReadonlyMap<string, { readonly seq: number; readonly loggedAt: number }>;
  /** While there may be more further back. For the first telling that is so of what was found, too: look for it again there. */
  readonly next?: SearchPlace;
}

/** Which `seq` belongs to an id or a time, without the events themselves. */
export interface EventSeqs {
  /** For each id the `seq` under which it was told first, in one pass; without those that the log does not have (any more). */
  find(session: string, eventIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** A part of such a pass, from the newest event back, of limited length. @param from where the part before it ended */
  findSome(session: string, eventIds: readonly string[], telling: Telling, from?: SearchPlace): Promise<Search>;
  /** The `seq` of the newest event that was logged before this time (milliseconds since 1970); 0 when there is none. */
  lastBefore(session: string, time: number): Promise<number>;
}

/**
 * Every event of every session, in the order of `seq`, for as long as the installation keeps them (ADR 18). Only a session's owner appends,
 * one call at a time and before the bus hears of the events; so whoever has read up to a `seq` finds everything later behind it.
 */
export interface EventLog extends EventSeqs {
  /**
   * Appends events, those of one session oldest first. An append that is repeated, with more events behind it or not,
   * changes nothing for readers. What is known to be taken must not be appended without those in front of it that were
   * taken along: a reader that is behind would miss them.
   * @returns indexes of the events that were not taken; of a session none after such a one is taken
   * @throws DependencyError when the whole call failed
   */
  append(events: readonly EventEnvelope[]): Promise<readonly number[]>;
  /** Events with a `seq` above `after`, oldest first, each `seq` once; about `limit` at most, and fewer only when there are no more. */
  read(session: string, after: number, limit: number): Promise<readonly LoggedEvent[]>;
  /** Deletes some of a session's events. @returns true when none is left */
  deleteSome(session: string): Promise<boolean>;
}
