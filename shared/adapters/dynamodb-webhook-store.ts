import { randomUUID } from 'node:crypto';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { INDEXES, TABLES } from '../contracts/resources.ts';
import {
  type WebhookDeliveryRow,
  type WebhookDeliveryState,
  type WebhookEndpointRow,
  webhookDeliveryRowSchema,
  webhookEndpointRowSchema,
} from '../contracts/webhook-rows.ts';
import { DependencyError } from '../domain/errors.ts';
import type { DeliveryQuery, EndpointKey, EndpointProgress, WebhookStore } from '../ports/webhook-store.ts';
import { digits, LAST_SEQ, SEQ_DIGITS } from './dynamodb-event-seqs.ts';
import { type Expression, REMOVE } from './dynamodb-expression.ts';
import { DynamoDbTable, type QueryOptions } from './dynamodb-table.ts';

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
      update: e.update({
        failures: 0,
        nextTryAt: REMOVE,
        disabledAt: REMOVE,
        disabledReason: REMOVE,
        enabling: randomUUID(),
      }),
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
    const { disabled, ...rest } = progress;
    const advanced = await this.#advance(key, progress);
    return advanced === undefined && disabled !== undefined ? await this.#advance(key, rest) : advanced;
  }

  async #advance(key: EndpointKey, progress: EndpointProgress): Promise<WebhookEndpointRow | undefined> {
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
      condition:
        disabled === undefined ? sameMaking(e, key) : `${sameMaking(e, key)} AND ${sameEnabling(e, disabled.enabling)}`,
    }));
    return item && webhookEndpointRowSchema.parse(item);
  }

  /** The note comes last: it is what makes anybody look for the deliveries, and it fails when the endpoint is gone. */
  async setAside(key: EndpointKey, deliveries: readonly Omit<WebhookDeliveryRow, 'endpoint'>[]): Promise<boolean> {
    const endpoint = partition(key);
    const rows = deliveries.map((delivery) => ({
      ...delivery,
      endpoint,
      statePlace: statePlace(delivery.state, delivery.seq),
      // Puts the row into the index of those that are tried again.
      ...(delivery.state === 'RETRYING' && { retryAt: delivery.dueAt }),
    }));
    const { left, error } = await this.#deliveries.putSome(rows, ['endpoint', 'seq']);
    if (left.size > 0) throw error ?? new DependencyError('DynamoDB did not take all deliveries');
    const item = await this.#endpoints.update(endpointKey(key), (e) => ({
      update: e.update({ setAside: randomUUID() }),
      condition: sameMaking(e, key),
    }));
    // Nobody would read them any more.
    if (item === undefined) await this.#deliveries.deleteMany(rows.map(({ seq }) => ({ endpoint, seq })));
    return item !== undefined;
  }

  async due(key: EndpointKey, now: number, limit: number): Promise<readonly WebhookDeliveryRow[]> {
    const ofEndpoint = (e: Expression) => `${e.name('endpoint')} = ${e.value(partition(key))}`;
    return await this.#rows((e) => `${ofEndpoint(e)} AND ${e.name('retryAt')} <= ${e.value(now)}`, limit, {
      IndexName: INDEXES.dueDeliveries,
    });
  }

  async noneLeft(key: EndpointKey, noted: string): Promise<void> {
    await this.#endpoints.update(endpointKey(key), (e) => ({
      update: e.update({ setAside: REMOVE }),
      condition: `${e.name('setAside')} = ${e.value(noted)}`,
    }));
  }

  async settle(key: EndpointKey, seq: number): Promise<void> {
    await this.#deliveries.deleteMany([{ endpoint: partition(key), seq }]);
  }

  async deliveries(key: EndpointKey, query: DeliveryQuery): Promise<readonly WebhookDeliveryRow[]> {
    const { state, limit, after } = query;
    const ofEndpoint = (e: Expression) => `${e.name('endpoint')} = ${e.value(partition(key))}`;
    if (state === undefined)
      return await this.#rows((e) => `${ofEndpoint(e)} AND ${e.name('seq')} > ${e.value(after)}`, limit);
    return await this.#rows(
      (e) =>
        `${ofEndpoint(e)} AND ${e.name('statePlace')} BETWEEN ${e.value(statePlace(state, after + 1))} AND ${e.value(statePlace(state, LAST_SEQ))}`,
      limit,
      { IndexName: INDEXES.deliveriesByState },
    );
  }

  async #rows(where: (e: Expression) => string, limit: number, options: Pick<QueryOptions, 'IndexName'> = {}) {
    const rows: WebhookDeliveryRow[] = [];
    const items = this.#deliveries.query(where, { ConsistentRead: true, Limit: limit, ...options });
    for await (const item of items) {
      rows.push(webhookDeliveryRowSchema.parse(item));
      if (rows.length >= limit) break;
    }
    return rows;
  }

  async remove(key: EndpointKey): Promise<void> {
    await this.#deliveries.deletePartition('endpoint', partition(key), 'seq');
    await this.#endpoints.deleteMany([endpointKey(key)]);
  }

  async clear(session: string): Promise<void> {
    for (const row of await this.list(session)) await this.remove(row);
  }
}

const partition = ({ session, endpointId, addedAt }: EndpointKey) => `${session}#${endpointId}#${addedAt}`;
const statePlace = (state: WebhookDeliveryState, seq: number) => `${state}#${digits(seq, SEQ_DIGITS)}`;
const endpointKey = ({ session, endpointId }: EndpointKey) => ({ session, endpointId });
const sameMaking = (e: Expression, { addedAt }: EndpointKey) => `${e.name('addedAt')} = ${e.value(addedAt)}`;
const sameEnabling = (e: Expression, enabling: string | undefined) =>
  enabling === undefined
    ? `attribute_not_exists(${e.name('enabling')})`
    : `${e.name('enabling')} = ${e.value(enabling)}`;
