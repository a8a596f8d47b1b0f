import { Agent, request } from 'node:http';

/** An answer that is not 2xx. */
export class RefusedError extends Error {
  readonly status: number;

  constructor(request: string, status: number, answer: string) {
    super(`${request} answered ${status}: ${answer.slice(0, 300)}`);
    this.status = status;
  }
}

/** Like the demo's client, but cheaper: it shares the cores with what it measures. */
export class LoadClient {
  readonly #url: URL;
  readonly #key: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(url: string, key = '') {
    this.#url = new URL(url);
    this.#key = key;
  }

  /** @throws RefusedError for every status but 2xx */
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          agent: this.#agent,
          host: this.#url.hostname,
          port: this.#url.port,
          method,
          path,
          headers: {
            'x-api-key': this.#key,
            ...(text === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const answer = Buffer.concat(chunks).toString();
            const status = response.statusCode ?? 0;
            if (status >= 200 && status < 300) resolve(answer === '' ? undefined : JSON.parse(answer));
            else reject(new RefusedError(`${method} ${path.split('?')[0]}`, status, answer));
          });
        },
      );
      sent.on('error', reject);
      sent.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
