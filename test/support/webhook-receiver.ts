import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '#localstack/demo/until.ts';
import { type EventEnvelope, eventEnvelopeSchema } from '#shared/contracts/events.ts';

export interface ReceivedPost {
  readonly headers: Readonly<Record<string, string>>;
  /** As it came. */
  readonly raw: string;
  readonly event: EventEnvelope;
  /** What was answered. */
  readonly status: number;
}

/** Answers a post; the default is 200 without a body. */
export type Answer = (post: Omit<ReceivedPost, 'status'>) => {
  readonly status: number;
  readonly headers?: Record<string, string>;
};

const LONGEST_MS = 60_000;
const ok: Answer = () => ({ status: 200 });

/** Somebody's web server that gets webhooks, on loopback. */
export class WebhookReceiver {
  readonly #posts: ReceivedPost[] = [];
  #server = createServer();
  #port = 0;
  answer: Answer = ok;

  static async start(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    await receiver.up();
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`;
  }

  /** All posts, in the order of their arrival. */
  get posts(): readonly ReceivedPost[] {
    return this.#posts;
  }

  /** Events that were answered well, in order. */
  get events(): readonly EventEnvelope[] {
    return this.#posts.flatMap(({ event, status }) => (status < 300 ? [event] : []));
  }

  /** Listens, on the same port as before. */
  async up(): Promise<void> {
    this.#server = createServer((request, response) => void this.#take(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    // A server that listens on a port has an address of this form.
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Connections are refused from now on. */
  async down(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  /** The first post for which `wanted` holds. */
  async post(what: string, wanted: (post: ReceivedPost) => boolean): Promise<ReceivedPost> {
    return await until(`${what} at the receiver`, async () => this.#posts.find(wanted), LONGEST_MS);
  }

  /** The message with this bare id, answered well. */
  async message(id: string): Promise<ReceivedPost> {
    return await this.post(`message ${id}`, ({ event, status }) => status < 300 && isMessage(event, id));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const raw = Buffer.concat(chunks).toString('utf8');
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value);
    const post = { headers, raw, event: eventEnvelopeSchema.parse(JSON.parse(raw)) };
    const answer = this.answer(post);
    this.#posts.push({ ...post, status: answer.status });
    response.writeHead(answer.status, answer.headers).end();
  }
}

/** Whether an event's payload has an id with this bare one in it. */
export function isAbout({ payload }: EventEnvelope, id: string): boolean {
  return 'id' in payload && typeof payload.id === 'string' && payload.id.includes(id);
}

export function isMessage(event: EventEnvelope, id: string): boolean {
  return event.event === 'message' && isAbout(event, id);
}
