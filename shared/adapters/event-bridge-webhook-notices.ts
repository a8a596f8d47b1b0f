import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
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

  async disabled(notice: WebhookDisabled): Promise<void> {
    await putEntry(this.#client, {
      EventBusName: this.#busName,
      Source: CONTROL_SOURCE,
      DetailType: WEBHOOK_DISABLED,
      Detail: JSON.stringify(notice),
      Time: new Date(notice.at),
    });
  }
}
