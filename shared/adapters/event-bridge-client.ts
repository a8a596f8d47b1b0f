import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { connections, retries } from './client-settings.ts';

export function createEventBridgeClient(): EventBridgeClient {
  return new EventBridgeClient({ ...retries, requestHandler: connections(10_000) });
}
