import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { CONTROL_SOURCE, SESSION_WANTED, type SessionWanted } from '../contracts/fleet-events.ts';
import { BUS } from '../contracts/resources.ts';
import { DependencyError } from '../domain/errors.ts';
import type { SessionSignals } from '../ports/session-signals.ts';
import { dependencyError } from './aws-errors.ts';

export class EventBridgeSessionSignals implements SessionSignals {
  readonly #client: EventBridgeClient;
  readonly #busName: string;

  constructor(client: EventBridgeClient, busName: string = BUS) {
    this.#client = client;
    this.#busName = busName;
  }

  async wanted({ name, shard, pool, updatedAt }: Parameters<SessionSignals['wanted']>[0]): Promise<void> {
    const detail: SessionWanted = { session: name, shard, pool, at: updatedAt };
    const entry = {
      EventBusName: this.#busName,
      Source: CONTROL_SOURCE,
      DetailType: SESSION_WANTED,
      Detail: JSON.stringify(detail),
      Time: new Date(updatedAt),
    };
    let refused: number | undefined;
    try {
      ({ FailedEntryCount: refused } = await this.#client.send(new PutEventsCommand({ Entries: [entry] })));
    } catch (error) {
      throw dependencyError('EventBridge PutEvents', error);
    }
    if (refused !== undefined && refused > 0) throw new DependencyError('EventBridge did not take the event');
  }
}
