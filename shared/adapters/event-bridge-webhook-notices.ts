import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { EVENT_SCHEMA_VERSION } from '../contracts/events.ts';
import { CONTROL_SOURCE } from '../contracts/fleet-events.ts';
import { BUS } from '../contracts/resources.ts';
import { WEBHOOK_DISABLED, type WebhookDisabled } from '../contracts/webhook-notices.ts';
import type { WebhookNotices } from '../ports/webhook-notices.ts';
import { putEntry } from './event-bridge-entry.ts';

export class EventBridgeWebhookNotices implements WebhookNotices {
  readonly #client: EventBridgeClient;
  readonly #busName: string;

  constructor(client: EventBridgeClient, busName: string = BUS) {
    this.#client = client;
    this.#busName = busName;
  }

  async disabled(notice: Parameters<WebhookNotices['disabled']>[0]): Promise<void> {
    const detail: WebhookDisabled = { ...notice, schemaVersion: EVENT_SCHEMA_VERSION };
    await putEntry(this.#client, {
      EventBusName: this.#busName,
      Source: CONTROL_SOURCE,
      DetailType: WEBHOOK_DISABLED,
      Detail: JSON.stringify(detail),
      Time: new Date(notice.at),
    });
  }
}
