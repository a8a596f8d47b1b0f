import type { IncomingMessage } from 'node:http';
import { DependencyError, EngineError, TrunklineError } from '../domain/errors.ts';
import { portRuleBrokenBy } from '../domain/media-port.ts';
import type { RemoteFile, RemoteFiles } from '../ports/remote-file.ts';
import { baseName, filenameIn } from './content-disposition.ts';
import { GuardedHttp, type GuardedHttpOptions } from './guarded-http.ts';
import { unlessAborted } from './unless-aborted.ts';

const MAX_REDIRECTS = 3;
const MAX_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
/** Refusals that another try may not meet: request timeout, too early, too many requests. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429]);
const REDIRECT_STATUS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const HEADERS = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'Trunkline' };

export interface GuardedRemoteFilesOptions extends Omit<GuardedHttpOptions, 'keepAlive'> {
  /** @default 64 MiB */
  readonly maxBytes?: number;
  /** For everything together: names, redirects, body. @default 30000 */
  readonly timeoutMs?: number;
}

export class GuardedRemoteFiles implements RemoteFiles {
  readonly #http: GuardedHttp;
  readonly #maxBytes: number;
  readonly #timeoutMs: number;
  readonly #allowedHosts: ReadonlySet<string>;

  constructor({ maxBytes, timeoutMs, ...guard }: GuardedRemoteFilesOptions = {}) {
    this.#http = new GuardedHttp(guard);
    this.#allowedHosts = new Set(guard.allowPrivateHosts);
    this.#maxBytes = maxBytes ?? MAX_BYTES;
    this.#timeoutMs = timeoutMs ?? TIMEOUT_MS;
  }

  async fetch(url: string): Promise<RemoteFile> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      // A body that ends with its connection would pass for the whole file when it is the time limit that ends it.
      return await unlessAborted(this.#follow(url, signal), signal);
    } catch (error) {
      if (error instanceof TrunklineError) throw error;
      throw new DependencyError('The server of the file did not answer as it must', { cause: error });
    }
  }

  /** Every redirect is vetted anew. */
  async #follow(start: string, signal: AbortSignal): Promise<RemoteFile> {
    let [text, base]: [string, URL | undefined] = [start, undefined];
    for (let redirects = 0; ; redirects += 1) {
      const { url, response } = await this.#get(text, base, signal);
      try {
        const { statusCode = 0 } = response;
        if (!REDIRECT_STATUS.has(statusCode)) return await this.#read(url, response);
        if (redirects >= MAX_REDIRECTS) throw refused('The URL of the file redirects too often');
        [text, base] = [response.headers.location ?? '', url];
      } finally {
        response.destroy();
      }
    }
  }

  async #get(text: string, base: URL | undefined, signal: AbortSignal) {
    const target = URL.parse(text, base?.href);
    const rule = target === null ? undefined : portRuleBrokenBy(target, this.#allowedHosts);
    if (rule !== undefined) throw refused(`The URL of the file ${rule}`);
    const request = { method: 'GET', headers: HEADERS, signal, ...(base !== undefined && { base }) } as const;
    const answer = await this.#http.request(text, request);
    switch (answer.kind) {
      case 'answered':
        return answer;
      case 'refused':
        throw refused(`The URL of the file ${answer.rule}`);
      case 'no-such-host':
        throw new EngineError('media-missing', 'The host of the file does not exist');
      case 'unresolved':
        throw new DependencyError('The host of the file could not be resolved', { cause: answer.cause });
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

function refused(sentence: string): EngineError {
  return new EngineError('media-refused', sentence);
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
