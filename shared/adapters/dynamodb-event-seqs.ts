import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { TABLES } from '../contracts/resources.ts';
import { type EventLogRow, eventLogRowSchema } from '../contracts/rows.ts';
import { eventTime } from '../domain/event-id.ts';
import type { EventSeqs, Search, SearchPlace, Telling } from '../ports/event-log.ts';
import { DynamoDbTable } from './dynamodb-table.ts';

const PAGE_ROWS = 200;
/** Looked through by one call. */
const SEARCHED_ROWS = 2 * PAGE_ROWS;
/** By how much the clock of a host may be behind that of whoever timed an event. */
const CLOCK_DIFFERENCE_MS = 3_600_000;
export const SEQ_DIGITS = 15;
export const LAST_SEQ = 10 ** SEQ_DIGITS - 2;

const timeSchema = eventLogRowSchema.pick({ place: true, loggedAt: true });
const idsSchema = eventLogRowSchema.pick({ place: true, loggedAt: true, events: true });

/** Looks at what rows say of their events, and at no body. */
export class DynamoDbEventSeqs implements EventSeqs {
  readonly #table: DynamoDbTable;
  readonly #searchedRows: number;

  /** @param searchedRows rows that one call of `findSome` looks through */
  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.eventLog, searchedRows = SEARCHED_ROWS) {
    this.#table = new DynamoDbTable(client, tableName);
    this.#searchedRows = searchedRows;
  }

  async find(session: string, eventIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    let from: SearchPlace | undefined;
    do {
      const part: Search = await this.findSome(session, eventIds, 'first', from);
      for (const [id, { seq }] of part.found) found.set(id, seq);
      from = part.next;
    } while (from !== undefined);
    return found;
  }

  async findSome(session: string, eventIds: readonly string[], telling: Telling, from?: SearchPlace): Promise<Search> {
    const found = new Map<string, { readonly seq: number; readonly loggedAt: number }>();
    if (eventIds.length === 0) return { found };
    const items = this.#table.query(
      (e) => {
        const ofSession = `${e.name('session')} = ${e.value(session)}`;
        return from === undefined ? ofSession : `${ofSession} AND ${e.name('place')} < ${e.value(from.place)}`;
      },
      {
        ConsistentRead: true,
        ScanIndexForward: false,
        Limit: PAGE_ROWS,
        attributes: ['place', 'loggedAt', 'events'],
      },
    );
    const left = new Set(eventIds);
    let newest = from?.newest;
    let earliest = newest === undefined ? 0 : earliestTime(left, newest);
    let rows = 0;
    for await (const item of items) {
      const { place, loggedAt, events } = idsSchema.parse(item);
      if (newest === undefined) earliest = earliestTime(left, loggedAt);
      newest ??= loggedAt;
      const ofRow = events.toReversed().filter(({ id }) => (telling === 'last' ? left.delete(id) : left.has(id)));
      for (const { id, seq } of ofRow) found.set(id, { seq, loggedAt });
      if (left.size === 0) break;
      if (ofRow.length > 0) earliest = earliestTime(left, newest);
      // Nothing is logged before it happens, so none is further back.
      if (loggedAt < earliest - CLOCK_DIFFERENCE_MS) break;
      rows += 1;
      if (rows >= this.#searchedRows) return { found, next: { place, newest } };
    }
    return { found };
  }

  /** Looks at the newest row first, then halves the range in which the answer lies. */
  async lastBefore(session: string, time: number): Promise<number> {
    const newest = await this.#row(session, LAST_SEQ, 'down');
    if (newest === undefined) return 0;
    if (newest.loggedAt < time) return newest.seq;
    const oldest = await this.#row(session, 0, 'up');
    if (oldest === undefined || oldest.loggedAt >= time) return 0;
    // `before` is logged before the time and `from` is not.
    let before = oldest.seq;
    let from = newest.seq;
    while (from - before > 1) {
      const middle = before + Math.floor((from - before) / 2);
      const row = await this.#row(session, middle, 'up');
      if (row === undefined || row.loggedAt >= time) from = middle;
      else before = row.seq;
    }
    return before;
  }

  /** The first row from a `seq` on, or the last one up to it. */
  async #row(
    session: string,
    seq: number,
    direction: 'up' | 'down',
  ): Promise<{ readonly seq: number; readonly loggedAt: number } | undefined> {
    const items = this.#table.query(
      (e) => {
        const range = direction === 'up' ? `>= ${e.value(placeOf(seq))}` : `< ${e.value(placeOf(seq + 1))}`;
        return `${e.name('session')} = ${e.value(session)} AND ${e.name('place')} ${range}`;
      },
      { ConsistentRead: true, ScanIndexForward: direction === 'up', Limit: 1, attributes: ['place', 'loggedAt'] },
    );
    for await (const item of items) {
      const { place, loggedAt } = timeSchema.parse(item);
      return { seq: seqOf({ place }), loggedAt };
    }
    return undefined;
  }
}

/** When the first of these events happened; 0 when an id does not say. */
function earliestTime(ids: ReadonlySet<string>, newest: number): number {
  const times = [...ids].map((id) => eventTime(id) ?? 0);
  // The time in an id is WhatsApp's; where its clock is ahead of ours by more than this it says nothing.
  return Math.min(...times.map((time) => (time > newest + CLOCK_DIFFERENCE_MS ? 0 : time)));
}

/** Where the rows begin that end with this `seq`. */
export function placeOf(seq: number): string {
  return digits(seq, SEQ_DIGITS);
}

export function seqOf({ place }: Pick<EventLogRow, 'place'>): number {
  return Number(place.slice(0, SEQ_DIGITS));
}

export function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}
