import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { ALL_SESSIONS } from '../contracts/event-stream.ts';
import { TABLES } from '../contracts/resources.ts';
import { type StreamRow, streamRowSchema } from '../contracts/rows.ts';
import type { Clock } from '../ports/clock.ts';
import type { StreamChange, StreamStore } from '../ports/event-stream.ts';
import { REMOVE } from './dynamodb-expression.ts';
import { DynamoDbTable, type Key } from './dynamodb-table.ts';
import { systemClock } from './system-clock.ts';

/** API Gateway ends a connection after two hours. */
const LONGEST_SECONDS = 3 * 3600;
const STREAM = 'stream';

const cursorSchema = z.object({ seq: z.number() });
const memberSchema = z.object({ member: z.string() });

/**
 * Two kinds of groups: of a connection, with the stream itself and its cursors; and of a session, with the connections that asked
 * for it. Both are read from the table, not from an index: a stream that is open is seen by whoever looks after that.
 */
export class DynamoDbStreamStore implements StreamStore {
  readonly #table: DynamoDbTable;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(
    client: DynamoDBDocumentClient,
    tableName: string = TABLES.streams,
    clock: Pick<Clock, 'now'> = systemClock,
  ) {
    this.#table = new DynamoDbTable(client, tableName);
    this.#clock = clock;
  }

  async open(stream: StreamRow, cursors: ReadonlyMap<string, number>): Promise<void> {
    const { connectionId } = stream;
    await Promise.all([...cursors].map(([session, seq]) => this.moveCursor(connectionId, session, seq)));
    await this.#table.put({ ...streamKey(connectionId), ...stream, ttl: this.#ttl() });
    await Promise.all(
      stream.sessions.map((session) => this.#table.put({ ...readerKey(session, connectionId), ttl: this.#ttl() })),
    );
  }

  async get(connectionId: string): Promise<StreamRow | undefined> {
    const item = await this.#table.get(streamKey(connectionId));
    return item && streamRowSchema.parse(item);
  }

  async update(connectionId: string, { since, had, start, slow, heartbeatAt }: StreamChange): Promise<void> {
    await this.#table.update(streamKey(connectionId), (e) => ({
      update: e.update({
        since: since === null ? REMOVE : undefined,
        had,
        start: start === null ? REMOVE : start,
        slow: slow === null ? REMOVE : slow,
        heartbeatAt,
      }),
      condition: `attribute_exists(${e.name('connectionId')})`,
    }));
  }

  async readersOf(session: string): Promise<readonly string[]> {
    const found = await Promise.all([session, ALL_SESSIONS].map((name) => this.#members(`session#${name}`)));
    return [...new Set(found.flat())];
  }

  async cursor(connectionId: string, session: string): Promise<number | undefined> {
    const item = await this.#table.get(cursorKey(connectionId, session));
    return item && cursorSchema.parse(item).seq;
  }

  async moveCursor(connectionId: string, session: string, seq: number): Promise<void> {
    await this.#table.put({ ...cursorKey(connectionId, session), seq, ttl: this.#ttl() });
  }

  async remove(connectionId: string): Promise<void> {
    const stream = await this.get(connectionId);
    // While the stream is there, whoever was interrupted can begin again.
    await this.#table.deleteMany((stream?.sessions ?? []).map((session) => readerKey(session, connectionId)));
    await this.#table.deletePartition('group', `connection#${connectionId}`, 'member');
  }

  async #members(group: string): Promise<readonly string[]> {
    const members: string[] = [];
    const items = this.#table.query((e) => `${e.name('group')} = ${e.value(group)}`, {
      ConsistentRead: true,
      attributes: ['member'],
    });
    for await (const item of items) members.push(memberSchema.parse(item).member);
    return members;
  }

  #ttl(): number {
    return Math.floor(this.#clock.now() / 1000) + LONGEST_SECONDS;
  }
}

function streamKey(connectionId: string): Key {
  return { group: `connection#${connectionId}`, member: STREAM };
}

function cursorKey(connectionId: string, session: string): Key {
  return { group: `connection#${connectionId}`, member: `cursor#${session}` };
}

function readerKey(session: string, connectionId: string): Key {
  return { group: `session#${session}`, member: connectionId };
}
