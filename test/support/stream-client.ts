import { WebSocket } from 'ws';
import * as z from 'zod';
import { until } from '#localstack/demo/until.ts';
import { type EventEnvelope, eventEnvelopeSchema } from '#shared/contracts/events.ts';

const noticeSchema = z.object({
  event: z.enum(['stream.heartbeat', 'stream.gap', 'stream.closed']),
  payload: z.object({ reason: z.string(), message: z.string() }).optional(),
});
const referenceSchema = z.object({ id: z.string(), payload: z.null(), href: z.url() });

/** The other end of an event stream. */
export class StreamClient {
  readonly socket: WebSocket;
  readonly events: EventEnvelope[] = [];
  readonly references: z.infer<typeof referenceSchema>[] = [];
  /** What the last message said. */
  endedBy: string | undefined;
  isClosed = false;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => this.#take(JSON.parse(data.toString())));
    socket.on('close', () => {
      this.isClosed = true;
    });
    // A handshake that is refused, or a connection that is cut: `close` follows.
    socket.on('error', () => {});
  }

  /** @returns the open stream, or the status with which it was refused */
  static async open(
    url: string,
    key: string | undefined,
    query: readonly (readonly [string, string])[],
  ): Promise<StreamClient | number> {
    const address = new URL(`${url.replace('http', 'ws')}/ws`);
    for (const [name, value] of query) address.searchParams.append(name, value);
    const socket = new WebSocket(address, { headers: key === undefined ? {} : { 'X-Api-Key': key } });
    const client = new StreamClient(socket);
    return await new Promise((resolve) => {
      socket.once('open', () => resolve(client));
      socket.once('unexpected-response', (request, { statusCode }) => {
        request.destroy();
        resolve(statusCode ?? 0);
      });
    });
  }

  async untilEvents(count: number): Promise<void> {
    await until(`${count} events on the stream`, async () => (this.events.length >= count ? true : undefined), 60_000);
  }

  async untilClosed(): Promise<void> {
    await until('the end of the stream', async () => (this.isClosed ? true : undefined), 60_000);
  }

  /** As a network does: nothing is said. */
  cut(): void {
    this.socket.terminate();
  }

  #take(frame: unknown): void {
    const notice = noticeSchema.safeParse(frame);
    if (notice.success) {
      this.endedBy = notice.data.payload?.reason ?? this.endedBy;
      return;
    }
    const reference = referenceSchema.safeParse(frame);
    if (reference.success) this.references.push(reference.data);
    else this.events.push(eventEnvelopeSchema.parse(frame));
  }
}
