import type { EventEnvelope } from '../contracts/events.ts';

/**
 * The event in a detail of the bus, fetched where the detail only says where it is.
 *
 * @throws ZodError when it is neither an event nor a reference; what the media store throws
 */
export type UnpackEvent = (detail: unknown) => Promise<EventEnvelope>;
