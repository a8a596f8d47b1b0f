import { type EventEnvelope, eventEnvelopeSchema, eventReferenceSchema } from '../contracts/events.ts';
import { mediaKey } from '../contracts/media-keys.ts';
import type { UnpackEvent } from '../ports/event-detail.ts';
import type { MediaStore } from '../ports/media-store.ts';

const DETAIL_BYTES = 200 * 1024;

/** An event as JSON; a large one is stored in the media bucket, and the JSON says where it is. */
export async function packEvent(event: EventEnvelope, media: Pick<MediaStore, 'bucket' | 'put'>): Promise<string> {
  const whole = JSON.stringify(event);
  if (Buffer.byteLength(whole) <= DETAIL_BYTES) return whole;
  const Key = mediaKey.event(event.session, event.id, event.seq);
  await media.put(Key, Buffer.from(whole), 'application/json');
  const { id, session, seq, schemaVersion, traceparent } = event;
  return JSON.stringify({ id, session, seq, schemaVersion, traceparent, s3: { Bucket: media.bucket, Key } });
}

/** For what `packEvent` has packed. @param media where the large ones are */
export function createUnpackEvent(media: Pick<MediaStore, 'get'>): UnpackEvent {
  return async (detail) => {
    const reference = eventReferenceSchema.safeParse(detail);
    if (!reference.success) return eventEnvelopeSchema.parse(detail);
    const { body } = await media.get(reference.data.s3.Key);
    return eventEnvelopeSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')));
  };
}
