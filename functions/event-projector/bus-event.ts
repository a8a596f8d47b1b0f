import * as z from 'zod';
import { type EventEnvelope, PROJECTED_EVENTS } from '#shared/contracts/events.ts';
import type { UnpackEvent } from '#shared/ports/event-detail.ts';

const projected: ReadonlySet<string> = new Set(PROJECTED_EVENTS);

/** An event as the bus hands it to a target, as far as it is used here. */
const busEventSchema = z.object({
  id: z.string(),
  source: z.string(),
  'detail-type': z.string(),
  detail: z.record(z.string(), z.unknown()),
});

/**
 * The envelope in a bus event, fetched when the bus only carries where it is; undefined when the read models do not
 * care for the event.
 *
 * @throws ZodError when it is not what its type says; what `unpackEvent` throws
 */
export async function envelopeIn(bus: unknown, unpackEvent: UnpackEvent): Promise<EventEnvelope | undefined> {
  const { 'detail-type': type, detail } = busEventSchema.parse(bus);
  if (!projected.has(type)) return undefined;
  return await unpackEvent(detail);
}
