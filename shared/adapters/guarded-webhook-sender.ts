import type { IncomingMessage } from 'node:http';
import type { WebhookAnswer } from '../domain/webhook-outcome.ts';
import type { WebhookSender } from '../ports/webhook-sender.ts';
import { GuardedHttp, type GuardedHttpOptions } from './guarded-http.ts';

const TIMEOUT_MS = 15_000;
/** Of an answer's body, which nobody looks at; read to its end it leaves the connection to the next delivery. */
const MOST_BODY_BYTES = 4_096;

export interface GuardedWebhookSenderOptions extends Omit<GuardedHttpOptions, 'keepAlive'> {
  /** For everything together: name, connection, answer. @default 15000 */
  readonly timeoutMs?: number;
}

export class GuardedWebhookSender implements WebhookSender {
  readonly #http: GuardedHttp;
  readonly #timeoutMs: number;

  constructor({ timeoutMs = TIMEOUT_MS, ...guard }: GuardedWebhookSenderOptions = {}) {
    this.#http = new GuardedHttp({ ...guard, keepAlive: true });
    this.#timeoutMs = timeoutMs;
  }

  async post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<WebhookAnswer> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    const bytes = Buffer.from(body);
    try {
      const answer = await this.#http.request(url, {
        method: 'POST',
        headers: { ...headers, 'content-length': String(bytes.byteLength) },
        body: bytes,
        signal,
      });
      if (answer.kind === 'refused') return { kind: 'refused', rule: answer.rule };
      if (answer.kind !== 'answered') return { kind: 'unreachable', reason: answer.kind };
      skipBody(answer.response);
      const { statusCode: status = 0, headers: got } = answer.response;
      return { kind: 'answered', status, ...(got['retry-after'] !== undefined && { retryAfter: got['retry-after'] }) };
    } catch (error) {
      if (signal.aborted) return { kind: 'timeout' };
      return { kind: 'unreachable', reason: codeOf(error) };
    }
  }

  /** Closes connections that wait. */
  close(): void {
    this.#http.close();
  }
}

/** The answer stands whatever becomes of its body: what is endless, or breaks, costs the connection. */
function skipBody(response: IncomingMessage): void {
  let size = 0;
  response.on('error', () => response.destroy());
  response.on('data', (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size > MOST_BODY_BYTES) response.destroy();
  });
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'broken-answer';
}
