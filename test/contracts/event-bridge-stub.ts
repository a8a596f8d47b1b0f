import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import * as z from 'zod';
import { type Listener, listen } from '#localstack/embedded/loopback-listener.ts';
import { type EventEnvelope, eventEnvelopeSchema, eventReferenceSchema } from '#shared/contracts/events.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';

const requestSchema = z.object({
  Entries: z
    .array(
      z.object({
        EventBusName: z.string(),
        Source: z.string(),
        DetailType: z.string(),
        Detail: z.string(),
        Time: z.number(),
      }),
    )
    .min(1)
    .max(10),
});

/** EventBridge's limit on the size of a call. */
const CALL_BYTES = 256 * 1024;

/** Answers PutEvents and keeps what it took. */
export class EventBridgeStub {
  readonly details: unknown[] = [];
  refuse: 'nothing' | 'call' | 'entries' | { readonly eventId: string } = 'nothing';

  async listen(): Promise<Listener> {
    const server = createServer(async (request, response) => {
      const body = requestSchema.safeParse(await json(request));
      const bytes = body.data?.Entries.reduce(
        (sum, { Detail, Source, DetailType }) => sum + 14 + Buffer.byteLength(Detail + Source + DetailType),
        0,
      );
      const ok =
        request.headers['x-amz-target'] === 'AWSEvents.PutEvents' && bytes !== undefined && bytes <= CALL_BYTES;
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      if (!ok || body.data === undefined || this.refuse === 'call') {
        response.writeHead(400).end(JSON.stringify({ __type: 'ValidationException', message: 'refused' }));
        return;
      }
      const entries = body.data.Entries.map((entry) => this.#take(JSON.parse(entry.Detail)));
      const FailedEntryCount = entries.filter((entry) => 'ErrorCode' in entry).length;
      response.end(JSON.stringify({ FailedEntryCount, Entries: entries }));
    });
    return await listen(server);
  }

  /** What arrived, with details that lie in the media bucket. */
  async envelopes(media: MediaStore): Promise<readonly EventEnvelope[]> {
    return await Promise.all(
      this.details.map(async (detail) => {
        const reference = eventReferenceSchema.safeParse(detail);
        if (!reference.success) return eventEnvelopeSchema.parse(detail);
        const { body } = await media.get(reference.data.s3.Key);
        return eventEnvelopeSchema.parse(JSON.parse(Buffer.from(body).toString()));
      }),
    );
  }

  #take(detail: { readonly id?: string }): object {
    const isRefused = typeof this.refuse === 'object' ? detail.id === this.refuse.eventId : this.refuse === 'entries';
    if (isRefused) {
      return { ErrorCode: 'ThrottlingException', ErrorMessage: 'refused' };
    }
    this.details.push(detail);
    return { EventId: `id-${this.details.length}` };
  }
}
