import type { WebhookDeliveryRow, WebhookDeliveryState, WebhookEndpointRow } from '../contracts/webhook-rows.ts';

/** Names an endpoint's row of one making: what is written to an earlier one must not land in it. */
export type EndpointKey = Pick<WebhookEndpointRow, 'session' | 'endpointId' | 'addedAt'>;

/** What a run of the dispatcher changes. A field that is left out stays, null takes it away. */
export interface EndpointProgress {
  readonly cursor?: number;
  readonly failures?: number;
  readonly nextTryAt?: number | null;
  /** Not written, unlike the rest, when the endpoint was enabled since `enabling` was read. */
  readonly disabled?: { readonly at: number; readonly reason: 'gone'; readonly enabling: string | undefined };
  readonly last?: WebhookEndpointRow['last'];
  /** Added to the counters. */
  readonly delivered?: number;
  readonly failed?: number;
}

export interface DeliveryQuery {
  readonly state?: WebhookDeliveryState;
  readonly limit: number;
  /** Only rows with a higher `seq`. */
  readonly after: number;
}

/** Where webhooks have come to. All reads are strongly consistent. */
export interface WebhookStore {
  /**
   * Makes an endpoint's row unless there is one.
   * @param cursor events up to this `seq` are not for it
   */
  declare(session: string, endpointId: string, addedAt: number, cursor: number): Promise<void>;
  /** Puts an end to whatever keeps an endpoint from being tried: it was disabled, or is left alone for a while. */
  enable(session: string, endpointId: string): Promise<void>;
  get(session: string, endpointId: string): Promise<WebhookEndpointRow | undefined>;
  list(session: string): Promise<readonly WebhookEndpointRow[]>;
  /** @returns the new row; undefined when it is gone or of another making */
  advance(key: EndpointKey, progress: EndpointProgress): Promise<WebhookEndpointRow | undefined>;

  /**
   * Writes deliveries, in place of those of the same `seq`, and notes at the endpoint that there are some. An endpoint's
   * deliveries are those of its making: a later one of the same name does not have them.
   * @returns false when the endpoint's row is gone or of another making; then nothing is written
   */
  setAside(key: EndpointKey, deliveries: readonly Omit<WebhookDeliveryRow, 'endpoint'>[]): Promise<boolean>;
  /** Deliveries whose next try is due at this time, those that are due for longest first. Costs nothing for the others. */
  due(key: EndpointKey, now: number, limit: number): Promise<readonly WebhookDeliveryRow[]>;
  /** Takes away the note that there are deliveries set aside, unless one was added since `noted` was read. */
  noneLeft(key: EndpointKey, noted: string): Promise<void>;
  /** Removes a delivery. */
  settle(key: EndpointKey, seq: number): Promise<void>;
  /** Oldest event first. Costs nothing for those of another state than was asked for. */
  deliveries(key: EndpointKey, query: DeliveryQuery): Promise<readonly WebhookDeliveryRow[]>;

  /** Removes an endpoint and its deliveries. */
  remove(key: EndpointKey): Promise<void>;
  /** Removes all endpoints of a session and their deliveries. */
  clear(session: string): Promise<void>;
}
