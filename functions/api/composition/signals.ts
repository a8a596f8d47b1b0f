import { createEventBridgeClient } from '#shared/adapters/event-bridge-client.ts';
import { EventBridgeSessionSignals } from '#shared/adapters/event-bridge-session-signals.ts';
import type { ApiDeps } from '../deps.ts';
import type { ApiBase } from './base.ts';

/** What is told on the bus. */
export function createSignals({ names, clients }: ApiBase): Pick<ApiDeps, 'signals'> {
  return { signals: new EventBridgeSessionSignals(clients.eventBridge ?? createEventBridgeClient(), names.bus) };
}
