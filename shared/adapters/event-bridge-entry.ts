import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { DependencyError } from '../domain/errors.ts';
import { dependencyError } from './aws-errors.ts';

/** Puts one entry on a bus. @throws DependencyError */
export async function putEntry(client: EventBridgeClient, entry: PutEventsRequestEntry): Promise<void> {
  let refused: number | undefined;
  try {
    ({ FailedEntryCount: refused } = await client.send(new PutEventsCommand({ Entries: [entry] })));
  } catch (error) {
    throw dependencyError('EventBridge PutEvents', error);
  }
  if (refused !== undefined && refused > 0) throw new DependencyError('EventBridge did not take the event');
}
