import type { WebhookDeliveryRow, WebhookEndpointRow } from '../../contracts/webhook-rows.ts';
import type { DeliveryQuery, EndpointKey, EndpointProgress, WebhookStore } from '../../ports/webhook-store.ts';

export class MemoryWebhookStore implements WebhookStore {
  readonly #endpoints = new Map<string, WebhookEndpointRow>();
  readonly #deliveries = new Map<string, Map<number, WebhookDeliveryRow>>();
  #notes = 0;
  #enablings = 0;

  async declare(session: string, endpointId: string, addedAt: number, cursor: number): Promise<void> {
    const id = nameOf(session, endpointId);
    if (this.#endpoints.has(id)) return;
    this.#endpoints.set(id, { session, endpointId, addedAt, cursor, failures: 0, delivered: 0, failed: 0 });
  }

  async enable(session: string, endpointId: string): Promise<void> {
    const row = this.#endpoints.get(nameOf(session, endpointId));
    if (row === undefined) return;
    const { nextTryAt: _next, disabledAt: _at, disabledReason: _reason, ...rest } = row;
    this.#enablings += 1;
    this.#endpoints.set(nameOf(session, endpointId), { ...rest, failures: 0, enabling: String(this.#enablings) });
  }

  async get(session: string, endpointId: string): Promise<WebhookEndpointRow | undefined> {
    return this.#endpoints.get(nameOf(session, endpointId));
  }

  async list(session: string): Promise<readonly WebhookEndpointRow[]> {
    return [...this.#endpoints.values()]
      .filter((row) => row.session === session)
      .sort((a, b) => (a.endpointId < b.endpointId ? -1 : 1));
  }

  async advance(key: EndpointKey, progress: EndpointProgress): Promise<WebhookEndpointRow | undefined> {
    const row = this.#current(key);
    if (row === undefined) return undefined;
    const { nextTryAt, disabled, delivered = 0, failed = 0, ...fields } = progress;
    const { nextTryAt: before, ...rest } = row;
    const next = nextTryAt === null ? undefined : (nextTryAt ?? before);
    const changed: WebhookEndpointRow = {
      ...rest,
      ...fields,
      ...(next !== undefined && { nextTryAt: next }),
      ...(disabled !== undefined &&
        disabled.enabling === row.enabling && { disabledAt: disabled.at, disabledReason: disabled.reason }),
      delivered: row.delivered + delivered,
      failed: row.failed + failed,
    };
    this.#endpoints.set(nameOf(key.session, key.endpointId), changed);
    return changed;
  }

  async setAside(key: EndpointKey, deliveries: readonly Omit<WebhookDeliveryRow, 'endpoint'>[]): Promise<boolean> {
    const row = this.#current(key);
    if (row === undefined) return false;
    const endpoint = partition(key);
    for (const delivery of deliveries) this.#of(endpoint).set(delivery.seq, { ...delivery, endpoint });
    this.#notes += 1;
    this.#endpoints.set(nameOf(key.session, key.endpointId), { ...row, setAside: String(this.#notes) });
    return true;
  }

  async due(key: EndpointKey, now: number, limit: number): Promise<readonly WebhookDeliveryRow[]> {
    return [...this.#of(partition(key)).values()]
      .filter(({ state, dueAt }) => state === 'RETRYING' && dueAt <= now)
      .sort((a, b) => a.dueAt - b.dueAt || a.seq - b.seq)
      .slice(0, limit);
  }

  async noneLeft(key: EndpointKey, noted: string): Promise<void> {
    const row = this.#current(key);
    if (row?.setAside !== noted) return;
    const { setAside: _note, ...rest } = row;
    this.#endpoints.set(nameOf(key.session, key.endpointId), rest);
  }

  async settle(key: EndpointKey, seq: number): Promise<void> {
    this.#of(partition(key)).delete(seq);
  }

  async deliveries(key: EndpointKey, query: DeliveryQuery): Promise<readonly WebhookDeliveryRow[]> {
    return [...this.#of(partition(key)).values()]
      .filter(({ seq, state }) => seq > query.after && (query.state === undefined || state === query.state))
      .sort((a, b) => a.seq - b.seq)
      .slice(0, query.limit);
  }

  async remove(key: EndpointKey): Promise<void> {
    this.#deliveries.delete(partition(key));
    this.#endpoints.delete(nameOf(key.session, key.endpointId));
  }

  async clear(session: string): Promise<void> {
    for (const row of await this.list(session)) await this.remove(row);
  }

  #current({ session, endpointId, addedAt }: EndpointKey): WebhookEndpointRow | undefined {
    const row = this.#endpoints.get(nameOf(session, endpointId));
    return row?.addedAt === addedAt ? row : undefined;
  }

  #of(endpoint: string): Map<number, WebhookDeliveryRow> {
    const known = this.#deliveries.get(endpoint) ?? new Map<number, WebhookDeliveryRow>();
    this.#deliveries.set(endpoint, known);
    return known;
  }
}

const nameOf = (session: string, endpointId: string) => `${session}#${endpointId}`;
const partition = ({ session, endpointId, addedAt }: EndpointKey) => `${session}#${endpointId}#${addedAt}`;
