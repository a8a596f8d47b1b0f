import type { EventBody, EventEnvelope } from '#shared/contracts/events.ts';
import { eventEnvelopeSchema } from '#shared/contracts/events.ts';

/** An event as a host publishes it. */
export function eventEnvelope(
  body: EventBody,
  fields: Partial<Pick<EventEnvelope, 'id' | 'timestamp' | 'session' | 'seq' | 'me' | 'traceparent'>> = {},
): EventEnvelope {
  return eventEnvelopeSchema.parse({
    id: 'evt_00000000000000000000000000',
    timestamp: 1_000_000,
    session: 'alpha',
    metadata: {},
    me: null,
    engine: 'NOWEB',
    environment: {
      version: '0.1.0',
      engine: 'NOWEB',
      tier: 'CORE',
      browser: null,
      platform: 'linux',
      worker: { id: null },
    },
    seq: 1,
    ...fields,
    ...body,
  });
}
