import { expect, it } from 'vitest';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { createUnpackEvent, packEvent } from './event-detail.ts';
import { MemoryMediaStore } from './memory/memory-media-store.ts';

it('says of an event that is elsewhere what it takes to follow it', async () => {
  const media = new MemoryMediaStore();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const payload = waMessage({ id: 'AAAAAA', body: 'x'.repeat(300_000) });
  const event = eventEnvelope({ event: 'message', payload }, { id: 'evt_1', seq: 7, traceparent });
  const packed = JSON.parse(await packEvent(event, media));
  expect(packed).toEqual({
    id: 'evt_1',
    session: 'alpha',
    seq: 7,
    schemaVersion: 1,
    traceparent,
    s3: { Bucket: media.bucket, Key: expect.stringContaining('evt_1-7') },
  });
  expect(await createUnpackEvent(media)(packed)).toEqual(event);
});
