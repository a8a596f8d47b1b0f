import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { INDEXES, TABLES } from '../contracts/resources.ts';
import { type SessionRow, sessionRowSchema } from '../contracts/rows.ts';
import { ConflictError, NotFoundError, NotOwnerError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionIntent, SessionReport, SessionStore } from '../ports/session-store.ts';
import { type Expression, REMOVE } from './dynamodb-expression.ts';
import { DynamoDbTable } from './dynamodb-table.ts';
import { systemClock } from './system-clock.ts';

/** Far more than a shard is made for: what lies beyond is full in any case. */
const MOST_COUNTED = 100_000;

export class DynamoDbSessionStore implements SessionStore {
  readonly #table: DynamoDbTable;
  readonly #clock: Clock;

  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.sessions, clock: Clock = systemClock) {
    this.#table = new DynamoDbTable(client, tableName);
    this.#clock = clock;
  }

  async create(row: SessionRow): Promise<void> {
    if (!(await this.#table.create(row, 'name'))) throw new ConflictError(`Session '${row.name}' already exists`);
  }

  async get(name: string): Promise<SessionRow | undefined> {
    const item = await this.#table.get({ name });
    return item && sessionRowSchema.parse(item);
  }

  async list(): Promise<readonly SessionRow[]> {
    const items = await this.#table.scan();
    return items.map((item) => sessionRowSchema.parse(item));
  }

  async listByShard(shard: string): Promise<readonly SessionRow[]> {
    const rows: SessionRow[] = [];
    const items = this.#table.query((e) => `${e.name('shard')} = ${e.value(shard)}`, {
      IndexName: INDEXES.sessionsByShard,
    });
    for await (const item of items) rows.push(sessionRowSchema.parse(item));
    return rows;
  }

  async countByShard(shard: string): Promise<number> {
    const where = (e: Expression) => `${e.name('shard')} = ${e.value(shard)}`;
    return await this.#table.count(where, INDEXES.sessionsByShard, MOST_COUNTED);
  }

  async intend(name: string, incarnation: string, intent: SessionIntent): Promise<SessionRow> {
    const { desired, config, restartToken, logoutToken, status } = intent;
    const updatedAt = this.#clock.now();
    const item = await this.#table.update({ name }, (e) => ({
      update: e.update({ desired, config, restartToken, logoutToken, status, updatedAt }),
      condition: `${e.name('incarnation')} = ${e.value(incarnation)}`,
    }));
    if (item === undefined) throw new NotFoundError(`Session '${name}' does not exist`);
    return sessionRowSchema.parse(item);
  }

  async report(name: string, incarnation: string, epoch: number, report: SessionReport): Promise<void> {
    const { statusReason, ...fields } = report;
    const item = await this.#table.update({ name }, (e) => ({
      update: e.update({
        ...fields,
        statusReason: statusReason === null ? REMOVE : statusReason,
        epoch,
        updatedAt: this.#clock.now(),
      }),
      condition: ownedBy(e, incarnation, epoch) + notBack(e, report.checkpoint?.lsn),
    }));
    if (item === undefined) throw lostOwnership(name);
  }

  async remove(name: string, incarnation: string, epoch: number): Promise<void> {
    const removed = await this.#table.delete({ name }, (e) => ownedBy(e, incarnation, epoch));
    if (!removed) throw lostOwnership(name);
  }
}

function ownedBy(e: Expression, incarnation: string, epoch: number): string {
  return `${e.name('incarnation')} = ${e.value(incarnation)} AND ${e.name('epoch')} <= ${e.value(epoch)}`;
}

/** A checkpoint of an owner's earlier try must not replace a later one. */
function notBack(e: Expression, lsn: number | undefined): string {
  if (lsn === undefined) return '';
  return ` AND NOT (${e.name('checkpoint')}.${e.name('lsn')} > ${e.value(lsn)})`;
}

function lostOwnership(name: string): NotOwnerError {
  return new NotOwnerError(`Session '${name}' has another owner, or is gone`);
}
