import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CONTROL_SOURCE, SESSION_WANTED, type SessionWanted } from '../contracts/fleet-events.ts';
import { BUS } from '../contracts/resources.ts';
import type { SessionSignals } from '../ports/session-signals.ts';
import { putEntry } from './event-bridge-entry.ts';

export class EventBridgeSessionSignals implements SessionSignals {
  readonly #client: EventBridgeClient;
  readonly #busName: string;

  constructor(client: EventBridgeClient, busName: string = BUS) {
    this.#client = client;
    this.#busName = busName;
  }

  async wanted({ name, shard, pool, updatedAt }: Parameters<SessionSignals['wanted']>[0]): Promise<void> {
    const detail: SessionWanted = { session: name, shard, pool, at: updatedAt };
    await putEntry(this.#client, {
      EventBusName: this.#busName,
      Source: CONTROL_SOURCE,
      DetailType: SESSION_WANTED,
      Detail: JSON.stringify(detail),
      Time: new Date(updatedAt),
    });
  }
}
