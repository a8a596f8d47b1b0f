import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';

/** How a receiver behaves. `hangs` takes the request and never answers; `away` does not listen; `mixed` is well, fails and asks to wait in turn. */
export type Manner = 'well' | 'fails' | 'hangs' | 'asks-to-wait' | 'mixed' | 'away' | 'not-found';

/** A post as it came, and what was answered. */
export interface Post {
  readonly at: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: string;
  /** Null when nothing was answered. */
  readonly status: number | null;
  /** Whether the receiver found it rightly signed when it came: a signature is good for five minutes. */
  readonly signed: boolean;
}

/** What a receiver makes of a post's signatures. */
export type Verify = (post: Pick<Post, 'headers' | 'raw'>) => boolean;

const WAIT_SECONDS = 3;
const WAIT_STATUS = 429;
const STATUSES = {
  well: [204],
  fails: [500],
  'asks-to-wait': [WAIT_STATUS],
  mixed: [204, 500, WAIT_STATUS],
  'not-found': [404],
} as const;

/** A certificate that nobody has a reason to trust. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Somebody's web server, on loopback, that may be told to behave badly. */
export class Receiver {
  readonly name: string;
  readonly posts: Post[] = [];
  readonly #certificate: Certificate | undefined;
  #server: Server | undefined;
  #port = 0;
  #manner: Manner = 'well';
  readonly #verify: Verify;

  /** @param verify @default believes everything */
  constructor(
    name: string,
    { certificate, verify = () => true }: { certificate?: Certificate | undefined; verify?: Verify } = {},
  ) {
    this.name = name;
    this.#verify = verify;
    this.#certificate = certificate;
  }

  get url(): string {
    return `${this.#certificate === undefined ? 'http' : 'https'}://127.0.0.1:${this.#port}/${this.name}`;
  }

  async start(): Promise<this> {
    const take = (request: IncomingMessage, response: ServerResponse) => void this.#take(request, response);
    this.#server = this.#certificate === undefined ? createServer(take) : createTlsServer(this.#certificate, take);
    // Whoever does not trust the certificate ends the connection; that is no fault of the server.
    this.#server.on('tlsClientError', () => {});
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    // A server that listens on a port has an address of this form.
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async become(manner: Manner): Promise<void> {
    const listens = this.#server !== undefined;
    this.#manner = manner;
    if (manner === 'away') await this.stop();
    else if (!listens) await this.start();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const manner = this.#manner;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      // The sender has died in the middle: there is nothing to note.
      return;
    }
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const raw = Buffer.concat(chunks).toString('utf8');
    const at = performance.timeOrigin + performance.now();
    const post = { at, headers, raw, signed: this.#verify({ headers, raw }) };
    if (manner === 'hangs' || manner === 'away') {
      this.posts.push({ ...post, status: null });
      return;
    }
    const statuses = STATUSES[manner];
    const status = statuses[this.posts.length % statuses.length] ?? 500;
    this.posts.push({ ...post, status });
    response.writeHead(status, status === WAIT_STATUS ? { 'retry-after': retryAfter(this.posts.length) } : {}).end();
  }
}

/** Both forms in turn. */
function retryAfter(turn: number): string {
  return turn % 2 === 0 ? String(WAIT_SECONDS) : new Date(Date.now() + WAIT_SECONDS * 1000).toUTCString();
}
