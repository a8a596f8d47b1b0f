import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { AUDIT_DAYS, type AuditEntry, auditEntrySchema, auditRowSchema } from '../contracts/audit.ts';
import { TABLES } from '../contracts/resources.ts';
import type { AuditLog, AuditPage, AuditQuery } from '../ports/audit-log.ts';
import { auditPlace, monthOf, monthsBack, placeOfTime, timeOfPlace } from './audit-places.ts';
import { DynamoDbTable } from './dynamodb-table.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Entries that one page looks at: a session may have few among many. */
const MOST_READ = 2_000;

export class DynamoDbAuditLog implements AuditLog {
  readonly #table: DynamoDbTable;
  readonly #keepMs: number;

  /** @param keepDays how long entries are kept */
  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.audit, keepDays: number = AUDIT_DAYS) {
    this.#table = new DynamoDbTable(client, tableName);
    this.#keepMs = keepDays * DAY_MS;
  }

  async write(entry: AuditEntry): Promise<void> {
    const ttl = Math.ceil((entry.at + this.#keepMs) / 1000);
    await this.#table.put({ ...entry, month: monthOf(entry.at), place: auditPlace(entry), ttl });
  }

  async list({ from, to, session, limit, next }: AuditQuery): Promise<AuditPage> {
    const earliest = placeOfTime(from);
    const end = placeOfTime(to + 1);
    const before = next !== undefined && next < end ? next : end;
    // `BETWEEN` demands that its ends are in order.
    if (before < earliest) return { entries: [], next: undefined };
    const entries: AuditEntry[] = [];
    let read = 0;
    for (const month of monthsBack(timeOfPlace(before), from)) {
      // `BETWEEN` includes both ends, so the last entry of the page before comes again.
      const rows = this.#table.query(
        (e) =>
          `${e.name('month')} = ${e.value(month)} AND ${e.name('place')} BETWEEN ${e.value(earliest)} AND ${e.value(before)}`,
        { ScanIndexForward: false, ConsistentRead: true, Limit: Math.min(limit + 2, MOST_READ) },
      );
      for await (const item of rows) {
        const row = auditRowSchema.parse(item);
        if (row.place === before) continue;
        read += 1;
        if (session === undefined || row.session === session) entries.push(auditEntrySchema.parse(row));
        if (entries.length === limit || read === MOST_READ) return { entries, next: row.place };
      }
    }
    return { entries, next: undefined };
  }
}
