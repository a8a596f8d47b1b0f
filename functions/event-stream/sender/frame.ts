import { STREAM_MESSAGE_BYTES, type StreamEndReason, type StreamNotice } from '#shared/contracts/event-stream.ts';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import { mediaKey } from '#shared/contracts/media-keys.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';

const HREF_SECONDS = 900;

/** Whether a stream asked for an event: `*` are all but `engine.event`. */
export function wants(events: readonly string[], { event }: { readonly event: string }): boolean {
  return events.includes(event) || (events.includes('*') && event !== 'engine.event');
}

/** An event as a stream carries it. A large one comes without its payload, and with an address that has it whole. */
export async function frameOf(
  envelope: EventEnvelope,
  media: Pick<MediaStore, 'put' | 'presignedUrl'>,
): Promise<string> {
  const whole = JSON.stringify(envelope);
  if (Buffer.byteLength(whole) <= STREAM_MESSAGE_BYTES) return whole;
  const key = mediaKey.streamed(envelope.session, envelope.id, envelope.seq);
  await media.put(key, Buffer.from(whole), 'application/json');
  return JSON.stringify({ ...envelope, payload: null, href: await media.presignedUrl(key, HREF_SECONDS) });
}

export function heartbeat(timestamp: number): string {
  return JSON.stringify({ event: 'stream.heartbeat', timestamp } satisfies StreamNotice);
}

/** @param since ids of events that are not in the log (any more) */
export function gap(timestamp: number, since: readonly string[]): string {
  const message = `The log does not have ${since.length === 1 ? 'this event' : 'these events'} (any more): what came right behind may be missing`;
  return JSON.stringify({ event: 'stream.gap', timestamp, payload: { since, message } } satisfies StreamNotice);
}

export function closed(timestamp: number, reason: StreamEndReason, message: string): string {
  return JSON.stringify({ event: 'stream.closed', timestamp, payload: { reason, message } } satisfies StreamNotice);
}
