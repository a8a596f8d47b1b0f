import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { TABLES } from '../contracts/resources.ts';
import { DependencyError } from '../domain/errors.ts';
import type { AppendOutcome, JournalRecord, JournalSession, JournalStore } from '../ports/journal-store.ts';
import { DynamoDbTable } from './dynamodb-table.ts';

const recordSchema = z.object({
  lsn: z.number(),
  epoch: z.number(),
  batchId: z.string(),
  kind: z.enum(['changes', 'seal']),
  body: z.instanceof(Uint8Array),
});
const holderSchema = recordSchema.pick({ epoch: true, batchId: true });
const positionSchema = z.object({ lsn: z.number(), kind: z.enum(['changes', 'seal']), ttl: z.number().optional() });

/** Key (`session` = name#incarnation, `lsn`). `ttl` is set on seals that have no reader any more. */
export class DynamoDbJournalStore implements JournalStore {
  readonly #table: DynamoDbTable;

  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.journal) {
    this.#table = new DynamoDbTable(client, tableName);
  }

  async append(session: JournalSession, record: JournalRecord): Promise<AppendOutcome> {
    const key = { session: partition(session), lsn: record.lsn };
    const { epoch, batchId, kind, body } = record;
    if (await this.#table.create({ ...key, epoch, batchId, kind, body }, 'lsn')) return { kind: 'appended' };
    const holder = await this.#table.get(key);
    // Only a retired record disappears: asked again, the store gives a plain answer.
    if (holder === undefined) throw new DependencyError('A journal record was there and is not');
    return { kind: 'taken', ...holderSchema.parse(holder) };
  }

  async *read(session: JournalSession, fromLsn: number): AsyncGenerator<JournalRecord> {
    const items = this.#table.query(
      (e) => `${e.name('session')} = ${e.value(partition(session))} AND ${e.name('lsn')} >= ${e.value(fromLsn)}`,
      { ConsistentRead: true },
    );
    for await (const item of items) yield recordSchema.parse(item);
  }

  async retire(session: JournalSession, belowLsn: number, sealsUntil: number): Promise<void> {
    const items = this.#table.query(
      (e) => `${e.name('session')} = ${e.value(partition(session))} AND ${e.name('lsn')} < ${e.value(belowLsn)}`,
      { attributes: ['lsn', 'kind', 'ttl'] },
    );
    const retired: { session: string; lsn: number }[] = [];
    for await (const item of items) {
      const { lsn, kind, ttl } = positionSchema.parse(item);
      const key = { session: partition(session), lsn };
      if (kind === 'changes') retired.push(key);
      else if (ttl === undefined)
        await this.#table.update(key, (e) => ({
          update: e.update({ ttl: sealsUntil }),
          condition: `attribute_exists(${e.name('lsn')})`,
        }));
    }
    await this.#table.deleteMany(retired);
  }

  async clear(session: JournalSession): Promise<void> {
    await this.#table.deletePartition('session', partition(session), 'lsn');
  }
}

function partition({ name, incarnation }: JournalSession): string {
  return `${name}#${incarnation}`;
}
