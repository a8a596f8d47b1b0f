import { promisify } from 'node:util';
import { zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { EventEnvelope } from '../contracts/events.ts';
import { TABLES } from '../contracts/resources.ts';
import { type EventLogRow, eventLogRowSchema } from '../contracts/rows.ts';
import { DependencyError, NotFoundError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { UnpackEvent } from '../ports/event-detail.ts';
import type { EventLog, LoggedEvent, Search, SearchPlace, Telling } from '../ports/event-log.ts';
import type { MediaStore } from '../ports/media-store.ts';
import { DynamoDbEventSeqs, digits, placeOf, seqOf } from './dynamodb-event-seqs.ts';
import { DynamoDbTable } from './dynamodb-table.ts';
import { createUnpackEvent, packEvent } from './event-detail.ts';
import { systemClock } from './system-clock.ts';

/** Of a body before it is packed: with ids it stays below an item's 400 KB even if zstd gains nothing. */
const ROW_BYTES = 360 * 1024;
const ROW_EVENTS = 200;
const DELETED_AT_ONCE = 250;
const DAY_SECONDS = 86_400;
/** Above this the work goes to another thread; below, the way there would cost more. */
const SMALL_BYTES = 32 * 1024;
/** Above any row's. */
const MAX_BYTES = 4 * 1024 * 1024;

const bodySchema = z.array(z.unknown());
const placeSchema = eventLogRowSchema.pick({ place: true });

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
  readonly #seqs: DynamoDbEventSeqs;
  readonly #media: Pick<MediaStore, 'bucket' | 'put' | 'get'>;
  readonly #unpackEvent: UnpackEvent;
  readonly #days: number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #onUnreadable: () => void;

  constructor(
    client: DynamoDBDocumentClient,
    mediaStore: Pick<MediaStore, 'bucket' | 'put' | 'get'>,
    {
      tableName = TABLES.eventLog,
      days = 14,
      clock = systemClock,
      searchedRows,
      onUnreadable = () => {},
    }: DynamoDbEventLogOptions = {},
  ) {
    this.#table = new DynamoDbTable(client, tableName);
    this.#seqs = new DynamoDbEventSeqs(client, tableName, searchedRows);
    this.#media = mediaStore;
    this.#unpackEvent = createUnpackEvent(mediaStore);
    this.#days = days;
    this.#clock = clock;
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
    return await this.#seqs.find(session, eventIds);
  }

  async findSome(session: string, eventIds: readonly string[], telling: Telling, from?: SearchPlace): Promise<Search> {
    return await this.#seqs.findSome(session, eventIds, telling, from);
  }

  async lastBefore(session: string, time: number): Promise<number> {
    return await this.#seqs.lastBefore(session, time);
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
   * is not known here, as a later version may write it: it must not hold up all behind it. Their ids and numbers are the row's: large ones
   * of earlier versions were stored under their id alone, and what was told again is in the place of all.
   */
  async #unpack({ body, events }: EventLogRow, after: number): Promise<readonly EventEnvelope[]> {
    const details = bodySchema.parse(JSON.parse(await unzipped(body)));
    const found: EventEnvelope[] = [];
    for (const [index, { id, seq }] of events.entries()) {
      if (seq <= after) continue;
      try {
        found.push({ ...(await this.#unpackEvent(details[index])), id, seq });
      } catch (error) {
        if (error instanceof z.ZodError) this.#onUnreadable();
        else if (!(error instanceof NotFoundError)) throw error;
      }
    }
    return found;
  }
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

function isFilled(rows: readonly unknown[]): boolean {
  return rows.length > 0;
}

/** For functions: says so in their log. */
export const unreadable = (logger: { error(text: string): void }) => () =>
  logger.error('an event in the log has a form that is not known here, and is left out');
