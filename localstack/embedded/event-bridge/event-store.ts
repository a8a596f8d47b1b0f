import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { type Rule, type Target, targetSchema } from './rules.ts';

/** One event on its way to one target. */
export interface Delivery {
  readonly id: number;
  readonly ruleArn: string;
  readonly target: Target;
  /** The event's id, the same at every target. */
  readonly eventId: string;
  /** The whole event as JSON text. */
  readonly event: string;
  /** Epoch milliseconds of PutEvents. */
  readonly acceptedAt: number;
}

export type NewDelivery = Omit<Delivery, 'id'>;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS buses (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS rules (
  bus TEXT NOT NULL, name TEXT NOT NULL, pattern TEXT NOT NULL, enabled INTEGER NOT NULL, description TEXT,
  targets TEXT NOT NULL, PRIMARY KEY (bus, name));
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, rule_arn TEXT NOT NULL, target TEXT NOT NULL, event_id TEXT NOT NULL,
  event TEXT NOT NULL, accepted_at INTEGER NOT NULL);
`;

const ruleRow = z.object({
  bus: z.string(),
  name: z.string(),
  pattern: z.string(),
  enabled: z.number(),
  description: z.string().nullable(),
  targets: z.string(),
});
const deliveryRow = z.object({
  id: z.number(),
  rule_arn: z.string(),
  target: z.string(),
  event_id: z.string(),
  event: z.string(),
  accepted_at: z.number(),
});

/** Buses, rules and undelivered events in SQLite: in memory, or in a directory where they survive a killed process. */
export class EventStore {
  readonly #database: DatabaseSync;
  readonly #insert;
  readonly #remove;

  constructor(directory?: string) {
    if (directory !== undefined) mkdirSync(directory, { recursive: true });
    this.#database = new DatabaseSync(directory === undefined ? ':memory:' : join(directory, 'event-bridge.db'));
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000;');
    this.#database.exec(SCHEMA);
    this.#insert = this.#database.prepare(
      'INSERT INTO deliveries (rule_arn, target, event_id, event, accepted_at) VALUES (?, ?, ?, ?, ?)',
    );
    this.#remove = this.#database.prepare('DELETE FROM deliveries WHERE id = ?');
  }

  buses(): readonly string[] {
    return this.#database
      .prepare('SELECT name FROM buses')
      .all()
      .map((row) => String(row.name));
  }

  addBus(name: string): void {
    this.#database.prepare('INSERT OR IGNORE INTO buses (name) VALUES (?)').run(name);
  }

  rules(): readonly Rule[] {
    return this.#database
      .prepare('SELECT * FROM rules ORDER BY bus, name')
      .all()
      .map((row) => {
        const { enabled, description, targets, ...rest } = ruleRow.parse(row);
        return {
          ...rest,
          enabled: enabled === 1,
          description: description ?? undefined,
          targets: z.array(targetSchema).parse(JSON.parse(targets)),
        };
      });
  }

  saveRule(rule: Rule): void {
    this.#database
      .prepare(
        'INSERT OR REPLACE INTO rules (bus, name, pattern, enabled, description, targets) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(
        rule.bus,
        rule.name,
        rule.pattern,
        rule.enabled ? 1 : 0,
        rule.description ?? null,
        JSON.stringify(rule.targets),
      );
  }

  removeRule(bus: string, name: string): void {
    this.#database.prepare('DELETE FROM rules WHERE bus = ? AND name = ?').run(bus, name);
  }

  /** Keeps all or none. When it returns the deliveries are safe. */
  addDeliveries(deliveries: readonly NewDelivery[]): readonly Delivery[] {
    return this.#transaction(() =>
      deliveries.map((delivery) => {
        const { ruleArn, target, eventId, event, acceptedAt } = delivery;
        const { lastInsertRowid } = this.#insert.run(ruleArn, JSON.stringify(target), eventId, event, acceptedAt);
        return { id: Number(lastInsertRowid), ...delivery };
      }),
    );
  }

  removeDeliveries(ids: readonly number[]): void {
    this.#transaction(() => {
      for (const id of ids) this.#remove.run(id);
    });
  }

  /** What an earlier process accepted and did not deliver, oldest first. */
  deliveries(): readonly Delivery[] {
    return this.#database
      .prepare('SELECT * FROM deliveries ORDER BY id')
      .all()
      .map((row) => {
        const { id, rule_arn, target, event_id, event, accepted_at } = deliveryRow.parse(row);
        return {
          id,
          ruleArn: rule_arn,
          target: targetSchema.parse(JSON.parse(target)),
          eventId: event_id,
          event,
          acceptedAt: accepted_at,
        };
      });
  }

  close(): void {
    this.#database.close();
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}
