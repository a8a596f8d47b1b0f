import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { expect } from 'vitest';
import * as z from 'zod';
import { type Listener, listen } from '#localstack/embedded/loopback-listener.ts';
import { REFERENCE } from '#shared/contracts/event-catalogue.ts';
import { type EventEnvelope, eventEnvelopeSchema, eventReferenceSchema } from '#shared/contracts/events.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import { schemaErrors } from './published-schemas.ts';

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
  readonly client: EventBridgeClient;
  readonly details: unknown[] = [];
  refuse: 'nothing' | 'call' | 'entries' | { readonly eventId: string } = 'nothing';
  readonly #listener: Listener;

  private constructor(listener: Listener) {
    this.#listener = listener;
    this.client = new EventBridgeClient({
      endpoint: listener.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
  }

  static async start(): Promise<EventBridgeStub> {
    const server = createServer(async (request, response) => {
      const { status, body } = stub.#answer(request.headers['x-amz-target'], await json(request));
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
    const stub = new EventBridgeStub(await listen(server));
    return stub;
  }

  async close(): Promise<void> {
    this.client.destroy();
    await this.#listener.close();
  }

  #answer(operation: unknown, call: unknown): { readonly status: number; readonly body: object } {
    const request = requestSchema.safeParse(call);
    const bytes = request.data?.Entries.reduce(
      (sum, { Detail, Source, DetailType }) => sum + 14 + Buffer.byteLength(Detail + Source + DetailType),
      0,
    );
    const ok = operation === 'AWSEvents.PutEvents' && bytes !== undefined && bytes <= CALL_BYTES;
    if (!ok || request.data === undefined || this.refuse === 'call') {
      return { status: 400, body: { __type: 'ValidationException', message: 'refused' } };
    }
    const Entries = request.data.Entries.map((entry) => this.#take(JSON.parse(entry.Detail)));
    const FailedEntryCount = Entries.filter((entry) => 'ErrorCode' in entry).length;
    return { status: 200, body: { FailedEntryCount, Entries } };
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

/** The event in a detail, or in the media bucket where the detail points. Both have the form that is published. */
export async function envelopeOf(detail: unknown, media: MediaStore): Promise<EventEnvelope> {
  const reference = eventReferenceSchema.safeParse(detail);
  if (!reference.success) return asPublished(detail);
  expect(schemaErrors(REFERENCE, detail)).toEqual([]);
  const { body } = await media.get(reference.data.s3.Key);
  return asPublished(JSON.parse(Buffer.from(body).toString()));
}

function asPublished(detail: unknown): EventEnvelope {
  const envelope = eventEnvelopeSchema.parse(detail);
  expect(schemaErrors(envelope.event, detail)).toEqual([]);
  return envelope;
}
