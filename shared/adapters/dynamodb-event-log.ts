import { promisify } from 'node:util';
import { zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { EventEnvelope } from '../contracts/events.ts';
import { TABLES } from '../contracts/resources.ts';
import { type EventLogRow, eventLogRowSchema } from '../contracts/rows.ts';
import { DependencyError, NotFoundError } from '../domain/errors.ts';
import { eventTime } from '../domain/event-id.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog, LoggedEvent, Search, SearchPlace } from '../ports/event-log.ts';
import type { MediaStore } from '../ports/media-store.ts';
import { DynamoDbTable } from './dynamodb-table.ts';
import { packEvent, unpackEvent } from './event-detail.ts';
import { systemClock } from './system-clock.ts';

/** Of a body before it is packed: with ids it stays below an item's 400 KB even if zstd gains nothing. */
const ROW_BYTES = 360 * 1024;
const ROW_EVENTS = 200;
const PAGE_ROWS = 200;
/** Looked through by one call. */
const SEARCHED_ROWS = 2 * PAGE_ROWS;
const DELETED_AT_ONCE = 250;
/** By how much the clock of a host may be behind that of whoever timed an event. */
const CLOCK_DIFFERENCE_MS = 3_600_000;
const DAY_SECONDS = 86_400;
const SEQ_DIGITS = 15;
/** Above this the work goes to another thread; below, the way there would cost more. */
const SMALL_BYTES = 32 * 1024;
/** Above any row's. */
const MAX_BYTES = 4 * 1024 * 1024;
const LAST_SEQ = 10 ** SEQ_DIGITS - 2;

const bodySchema = z.array(z.unknown());
const placeSchema = eventLogRowSchema.pick({ place: true });
const timeSchema = eventLogRowSchema.pick({ place: true, loggedAt: true });
const idsSchema = eventLogRowSchema.pick({ place: true, loggedAt: true, events: true });

export interface DynamoDbEventLogOptions {
  readonly tableName?: string;
  /** After so many days an event may disappear. Who only reads needs none. @default 14 */
  readonly days?: number;
  readonly clock?: Pick<Clock, 'now'>;
  /** Rows that one call of `findSome` looks through. @default 400 */
  readonly searchedRows?: number;
  /** Told of each event that is left out because its form is not known. @default nobody */
  readonly onUnreadable?: () => void;
}

/** An event with its place in the call that it came in, and what is written of it. */
interface Packed {
  readonly index: number;
  readonly envelope: EventEnvelope;
  readonly detail: string;
}

/** One row for each append and session: all of its events are visible or none is. What is appended again lies beside it. */
export class DynamoDbEventLog implements EventLog {
  readonly #table: DynamoDbTable;
  readonly #media: Pick<MediaStore, 'bucket' | 'put' | 'get'>;
  readonly #days: number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #searchedRows: number;
  readonly #onUnreadable: () => void;

  constructor(
    client: DynamoDBDocumentClient,
    mediaStore: Pick<MediaStore, 'bucket' | 'put' | 'get'>,
    {
      tableName = TABLES.eventLog,
      days = 14,
      clock = systemClock,
      searchedRows = SEARCHED_ROWS,
      onUnreadable = () => {},
    }: DynamoDbEventLogOptions = {},
  ) {
    this.#table = new DynamoDbTable(client, tableName);
    this.#media = mediaStore;
    this.#days = days;
    this.#clock = clock;
    this.#searchedRows = searchedRows;
    this.#onUnreadable = onUnreadable;
  }

  async append(events: readonly EventEnvelope[]): Promise<readonly number[]> {
    const failed: number[] = [];
    let lastError: unknown;
    let waiting: (readonly (readonly Packed[])[])[] = [];
    for (const indexed of bySession(events)) {
      const { packed, error } = await this.#pack(indexed);
      failed.push(...indexed.slice(packed.length).map(({ index }) => index));
      lastError ??= error;
      waiting.push(rowsOf(packed));
    }
    // One row of each session at a time: none may be there before the one in front of it.
    for (waiting = waiting.filter(isFilled); waiting.length > 0; waiting = waiting.filter(isFilled)) {
      const { left, error } = await this.#put(waiting.flatMap(([first]) => (first === undefined ? [] : [first])));
      lastError ??= error;
      waiting = waiting.map((rows) => {
        if (rows[0] !== undefined && !left.has(rows[0])) return rows.slice(1);
        failed.push(...rows.flat().map(({ index }) => index));
        return [];
      });
    }
    if (lastError !== undefined && failed.length === events.length) throw lastError;
    return failed.sort((a, b) => a - b);
  }

  async read(session: string, after: number, limit: number): Promise<readonly LoggedEvent[]> {
    const items = this.#table.query(
      (e) => `${e.name('session')} = ${e.value(session)} AND ${e.name('place')} >= ${e.value(placeOf(after + 1))}`,
      { ConsistentRead: true, Limit: limit },
    );
    const found: LoggedEvent[] = [];
    let reached = after;
    for await (const item of items) {
      const row = eventLogRowSchema.parse(item);
      for (const envelope of await this.#unpack(row, reached)) found.push({ envelope, loggedAt: row.loggedAt });
      reached = seqOf(row);
      if (found.length >= limit) break;
    }
    return found;
  }

  async find(session: string, eventIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    let from: SearchPlace | undefined;
    do {
      const left = eventIds.filter((id) => !found.has(id));
      const part: Search = await this.findSome(session, left, from);
      for (const [id, { seq }] of part.found) found.set(id, seq);
      from = part.next;
    } while (from !== undefined);
    return found;
  }

  async findSome(session: string, eventIds: readonly string[], from?: SearchPlace): Promise<Search> {
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
      const ofRow = events.toReversed().filter(({ id }) => left.delete(id));
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

  async deleteSome(session: string): Promise<boolean> {
    const items = this.#table.query((e) => `${e.name('session')} = ${e.value(session)}`, {
      ConsistentRead: true,
      Limit: DELETED_AT_ONCE + 1,
      attributes: ['place'],
    });
    const keys: { readonly session: string; readonly place: string }[] = [];
    for await (const item of items) {
      keys.push({ session, place: placeSchema.parse(item).place });
      if (keys.length > DELETED_AT_ONCE) break;
    }
    await this.#table.deleteMany(keys.slice(0, DELETED_AT_ONCE));
    return keys.length <= DELETED_AT_ONCE;
  }

  /** The events up to the first that could not be stored. */
  async #pack(
    events: readonly Omit<Packed, 'detail'>[],
  ): Promise<{ readonly packed: readonly Packed[]; readonly error?: unknown }> {
    const packed: Packed[] = [];
    for (const event of events) {
      try {
        packed.push({ ...event, detail: await packEvent(event.envelope, this.#media) });
      } catch (error) {
        if (error instanceof DependencyError) return { packed, error };
        throw error;
      }
    }
    return { packed };
  }

  /** @param rows one of each session; @returns those that are not there */
  async #put(
    rows: readonly (readonly Packed[])[],
  ): Promise<{ readonly left: ReadonlySet<readonly Packed[]>; readonly error?: unknown }> {
    const loggedAt = this.#clock.now();
    const ttl = Math.floor(loggedAt / 1000) + this.#days * DAY_SECONDS;
    const items = await Promise.all(rows.map((events) => itemOf(events, loggedAt, ttl)));
    const { left, error } = await this.#table.putSome(items, ['session', 'place']);
    return { left: new Set(rows.filter((_, at) => items[at] !== undefined && left.has(items[at]))), error };
  }

  /**
   * A row's events above a `seq`. One whose body is in the media bucket no more is left out: it has expired. So is one of a form that
   * is not known here, as a later version may write it: it must not hold up all behind it.
   */
  async #unpack({ body, events }: EventLogRow, after: number): Promise<readonly EventEnvelope[]> {
    const details = bodySchema.parse(JSON.parse(await unzipped(body)));
    const wanted = details.filter((_, index) => (events[index]?.seq ?? 0) > after);
    const found: EventEnvelope[] = [];
    for (const detail of wanted) {
      try {
        found.push(await unpackEvent(detail, this.#media));
      } catch (error) {
        if (error instanceof z.ZodError) this.#onUnreadable();
        else if (!(error instanceof NotFoundError)) throw error;
      }
    }
    return found;
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
  // The time in an id is WhatsApp's; where its clock is ahead of ours it says nothing.
  return Math.min(...times.map((time) => (time > newest ? 0 : time)));
}

function bySession(events: readonly EventEnvelope[]): readonly (readonly Omit<Packed, 'detail'>[])[] {
  const sessions = new Map<string, Omit<Packed, 'detail'>[]>();
  for (const [index, envelope] of events.entries()) {
    const known = sessions.get(envelope.session);
    if (known === undefined) sessions.set(envelope.session, [{ index, envelope }]);
    else known.push({ index, envelope });
  }
  return [...sessions.values()];
}

/** Events of one session in order, as few rows as an item's limit allows. */
function rowsOf(events: readonly Packed[]): readonly (readonly Packed[])[] {
  const rows: Packed[][] = [];
  let room = 0;
  for (const event of events) {
    const bytes = Buffer.byteLength(event.detail) + 1;
    const row = rows.at(-1);
    if (row === undefined || row.length >= ROW_EVENTS || bytes > room) {
      rows.push([event]);
      room = ROW_BYTES - bytes;
    } else {
      row.push(event);
      room -= bytes;
    }
  }
  return rows;
}

async function itemOf(events: readonly Packed[], loggedAt: number, ttl: number): Promise<EventLogRow> {
  const [first, last] = [events[0], events.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('A row has at least one event');
  return {
    session: first.envelope.session,
    // Of rows that end with the same event the first that was written has the most in front of it, and lies in front.
    place: `${placeOf(last.envelope.seq)}#${digits(ROW_EVENTS - events.length, 3)}#${digits(loggedAt, 13)}`,
    loggedAt,
    events: events.map(({ envelope: { id, seq } }) => ({ id, seq })),
    body: await zipped(`[${events.map(({ detail }) => detail).join(',')}]`),
    ttl,
  };
}

async function zipped(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return text.length <= SMALL_BYTES ? zstdCompressSync(text) : await promisify(zstdCompress)(text);
}

async function unzipped(body: Uint8Array): Promise<string> {
  const limit = { maxOutputLength: MAX_BYTES };
  const bytes =
    body.length <= SMALL_BYTES ? zstdDecompressSync(body, limit) : await promisify(zstdDecompress)(body, limit);
  return bytes.toString('utf8');
}

/** Where the rows begin that end with this `seq`. */
function placeOf(seq: number): string {
  return digits(seq, SEQ_DIGITS);
}

function seqOf({ place }: Pick<EventLogRow, 'place'>): number {
  return Number(place.slice(0, SEQ_DIGITS));
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}

function isFilled(rows: readonly unknown[]): boolean {
  return rows.length > 0;
}

/** For functions: says so in their log. */
export const unreadable = (logger: { error(text: string): void }) => () =>
  logger.error('an event in the log has a form that is not known here, and is left out');
