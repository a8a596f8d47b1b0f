import type { IncomingMessage } from 'node:http';
import { DependencyError, EngineError, TrunklineError } from '../domain/errors.ts';
import type { RemoteFile, RemoteFiles } from '../ports/remote-file.ts';
import { baseName, filenameIn } from './content-disposition.ts';
import { pinnedGet } from './pinned-request.ts';
import { type Resolve, refused, systemResolve, vetTarget } from './vetted-target.ts';

const MAX_REDIRECTS = 3;
const MAX_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
/** Refusals that another try may not meet: request timeout, too early, too many requests. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429]);
const REDIRECT_STATUS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface GuardedRemoteFilesOptions {
  /** Host names and addresses that may be private, as they stand in URLs (IPv6 without brackets). @default none */
  readonly allowPrivateHosts?: readonly string[];
  /** @default 64 MiB */
  readonly maxBytes?: number;
  /** For everything together: names, redirects, body. @default 30000 */
  readonly timeoutMs?: number;
  /** @default the system's resolver */
  readonly resolve?: Resolve;
}

export class GuardedRemoteFiles implements RemoteFiles {
  readonly #allowPrivateHosts: ReadonlySet<string>;
  readonly #maxBytes: number;
  readonly #timeoutMs: number;
  readonly #resolve: Resolve;

  constructor(options: GuardedRemoteFilesOptions = {}) {
    this.#allowPrivateHosts = new Set(options.allowPrivateHosts);
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#resolve = options.resolve ?? systemResolve;
  }

  async fetch(url: string): Promise<RemoteFile> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      return await Promise.race([this.#follow(url, signal), timedOut(signal)]);
    } catch (error) {
      if (error instanceof TrunklineError) throw error;
      throw new DependencyError('The server of the file did not answer as it must', { cause: error });
    }
  }

  async #follow(start: string, signal: AbortSignal): Promise<RemoteFile> {
    let target = await vetTarget(start, undefined, this.#resolve, this.#allowPrivateHosts);
    for (let redirects = 0; ; redirects += 1) {
      signal.throwIfAborted();
      const response = await pinnedGet(target, signal);
      try {
        const { statusCode = 0 } = response;
        if (!REDIRECT_STATUS.has(statusCode)) return await this.#read(target.url, response);
        if (redirects >= MAX_REDIRECTS) throw refused('The URL of the file redirects too often');
        target = await vetTarget(response.headers.location ?? '', target.url, this.#resolve, this.#allowPrivateHosts);
      } finally {
        response.destroy();
      }
    }
  }

  async #read(url: URL, response: IncomingMessage): Promise<RemoteFile> {
    const { statusCode = 0, headers } = response;
    if (statusCode >= 500 || PASSING_STATUS.has(statusCode)) {
      throw new DependencyError(`The server of the file answered ${statusCode}`);
    }
    if (statusCode !== 200) throw new EngineError('media-missing', `The server of the file answered ${statusCode}`);
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw refused('The server of the file insists on compressing it');
    }
    return {
      body: await this.#body(response),
      mimetype: headers['content-type']?.split(';')[0]?.trim().toLowerCase() || undefined,
      filename: filenameIn(headers['content-disposition'] ?? '') ?? filenameInPath(url),
    };
  }

  async #body(response: IncomingMessage): Promise<Uint8Array> {
    const tooLarge = () => refused(`The file is larger than ${this.#maxBytes} bytes`);
    if (Number(response.headers['content-length'] ?? 0) > this.#maxBytes) throw tooLarge();
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > this.#maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  }
}

/** Names are resolved by the operating system, which cannot be interrupted. */
async function timedOut(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** The last part of the path when it looks like a file's name. */
function filenameInPath(url: URL): string | undefined {
  const last = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  try {
    const name = baseName(decodeURIComponent(last));
    return name !== undefined && /[^.]\.[A-Za-z0-9]{1,8}$/.test(name) ? name : undefined;
  } catch {
    return undefined;
  }
}
