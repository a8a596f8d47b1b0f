import { randomUUID } from 'node:crypto';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { INDEXES, TABLES } from '../contracts/resources.ts';
import {
  type WebhookDeliveryRow,
  type WebhookEndpointRow,
  webhookDeliveryRowSchema,
  webhookEndpointRowSchema,
} from '../contracts/webhook-rows.ts';
import { DependencyError } from '../domain/errors.ts';
import type { DeliveryQuery, EndpointKey, EndpointProgress, WebhookStore } from '../ports/webhook-store.ts';
import { type Expression, REMOVE } from './dynamodb-expression.ts';
import { DynamoDbTable } from './dynamodb-table.ts';

export interface WebhookTables {
  readonly webhookEndpoints: string;
  readonly webhookDeliveries: string;
}

export class DynamoDbWebhookStore implements WebhookStore {
  readonly #endpoints: DynamoDbTable;
  readonly #deliveries: DynamoDbTable;

  constructor(client: DynamoDBDocumentClient, tables: WebhookTables = TABLES) {
    this.#endpoints = new DynamoDbTable(client, tables.webhookEndpoints);
    this.#deliveries = new DynamoDbTable(client, tables.webhookDeliveries);
  }

  async declare(session: string, endpointId: string, addedAt: number, cursor: number): Promise<void> {
    const row: WebhookEndpointRow = { session, endpointId, addedAt, cursor, failures: 0, delivered: 0, failed: 0 };
    await this.#endpoints.create(row, 'endpointId');
  }

  async enable(session: string, endpointId: string): Promise<void> {
    await this.#endpoints.update({ session, endpointId }, (e) => ({
      update: e.update({ failures: 0, nextTryAt: REMOVE, disabledAt: REMOVE, disabledReason: REMOVE }),
      condition: `attribute_exists(${e.name('endpointId')})`,
    }));
  }

  async get(session: string, endpointId: string): Promise<WebhookEndpointRow | undefined> {
    const item = await this.#endpoints.get({ session, endpointId });
    return item && webhookEndpointRowSchema.parse(item);
  }

  async list(session: string): Promise<readonly WebhookEndpointRow[]> {
    const rows: WebhookEndpointRow[] = [];
    const items = this.#endpoints.query((e) => `${e.name('session')} = ${e.value(session)}`, { ConsistentRead: true });
    for await (const item of items) rows.push(webhookEndpointRowSchema.parse(item));
    return rows;
  }

  async advance(key: EndpointKey, progress: EndpointProgress): Promise<WebhookEndpointRow | undefined> {
    const { cursor, failures, nextTryAt, disabled, last, delivered = 0, failed = 0 } = progress;
    const item = await this.#endpoints.update(endpointKey(key), (e) => ({
      update: e.update(
        {
          cursor,
          failures,
          nextTryAt: nextTryAt === null ? REMOVE : nextTryAt,
          disabledAt: disabled?.at,
          disabledReason: disabled?.reason,
          last,
        },
        `${e.name('delivered')} = ${e.name('delivered')} + ${e.value(delivered)}`,
        `${e.name('failed')} = ${e.name('failed')} + ${e.value(failed)}`,
      ),
      condition: sameMaking(e, key),
    }));
    return item && webhookEndpointRowSchema.parse(item);
  }

  /** The note comes last: it is what makes anybody look for the deliveries, and it fails when the endpoint is gone. */
  async setAside(key: EndpointKey, deliveries: readonly Omit<WebhookDeliveryRow, 'endpoint'>[]): Promise<boolean> {
    const endpoint = partition(key.session, key.endpointId);
    const rows = deliveries.map((delivery) => ({
      ...delivery,
      endpoint,
      // Puts the row into the index of those that are tried again.
      ...(delivery.state === 'RETRYING' && { retryingSeq: delivery.seq }),
    }));
    const { left, error } = await this.#deliveries.putSome(rows, ['endpoint', 'seq']);
    if (left.size > 0) throw error ?? new DependencyError('DynamoDB did not take all deliveries');
    const item = await this.#endpoints.update(endpointKey(key), (e) => ({
      update: e.update({ setAside: randomUUID() }),
      condition: sameMaking(e, key),
    }));
    return item !== undefined;
  }

  async retrying(session: string, endpointId: string): Promise<readonly WebhookDeliveryRow[]> {
    const rows: WebhookDeliveryRow[] = [];
    const endpoint = partition(session, endpointId);
    const items = this.#deliveries.query((e) => `${e.name('endpoint')} = ${e.value(endpoint)}`, {
      IndexName: INDEXES.retryingDeliveries,
      ConsistentRead: true,
    });
    for await (const item of items) rows.push(webhookDeliveryRowSchema.parse(item));
    return rows;
  }

  async noneLeft(key: EndpointKey, noted: string): Promise<void> {
    await this.#endpoints.update(endpointKey(key), (e) => ({
      update: e.update({ setAside: REMOVE }),
      condition: `${e.name('setAside')} = ${e.value(noted)}`,
    }));
  }

  async settle(session: string, endpointId: string, seq: number): Promise<void> {
    await this.#deliveries.deleteMany([{ endpoint: partition(session, endpointId), seq }]);
  }

  async deliveries(session: string, endpointId: string, query: DeliveryQuery): Promise<readonly WebhookDeliveryRow[]> {
    const rows: WebhookDeliveryRow[] = [];
    const endpoint = partition(session, endpointId);
    const items = this.#deliveries.query(
      (e) => `${e.name('endpoint')} = ${e.value(endpoint)} AND ${e.name('seq')} > ${e.value(query.after)}`,
      { ConsistentRead: true },
    );
    for await (const item of items) {
      const row = webhookDeliveryRowSchema.parse(item);
      if (query.state === undefined || row.state === query.state) rows.push(row);
      if (rows.length >= query.limit) break;
    }
    return rows;
  }

  async remove(session: string, endpointId: string): Promise<void> {
    await this.#deliveries.deletePartition('endpoint', partition(session, endpointId), 'seq');
    await this.#endpoints.deleteMany([{ session, endpointId }]);
  }

  async clear(session: string): Promise<void> {
    for (const { endpointId } of await this.list(session)) await this.remove(session, endpointId);
  }
}

const partition = (session: string, endpointId: string) => `${session}#${endpointId}`;
const endpointKey = ({ session, endpointId }: EndpointKey) => ({ session, endpointId });
const sameMaking = (e: Expression, { addedAt }: EndpointKey) => `${e.name('addedAt')} = ${e.value(addedAt)}`;
