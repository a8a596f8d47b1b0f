import type { IncomingMessage } from 'node:http';
import { DependencyError, EngineError, TrunklineError } from '../domain/errors.ts';
import { portRuleBrokenBy } from '../domain/media-port.ts';
import { unlessAborted } from '../domain/unless-aborted.ts';
import type { RemoteFile, RemoteFiles } from '../ports/remote-file.ts';
import { baseName, filenameIn } from './content-disposition.ts';
import { GuardedHttp, type GuardedHttpOptions } from './guarded-http.ts';

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
  /** For everything together: names, redirects, body, without a wait between the last two. @default 30000 */
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

  async open(url: string): Promise<RemoteFile> {
    const limit = new TimeLimit(this.#timeoutMs);
    return await answered(limit.spend(this.#follow(url, limit)));
  }

  /** Every redirect is vetted anew. */
  async #follow(start: string, limit: TimeLimit): Promise<RemoteFile> {
    let [text, base]: [string, URL | undefined] = [start, undefined];
    for (let redirects = 0; ; redirects += 1) {
      const { url, response } = await this.#get(text, base, limit.signal);
      try {
        const { statusCode = 0 } = response;
        if (!REDIRECT_STATUS.has(statusCode)) return this.#opened(url, response, limit);
        if (redirects >= MAX_REDIRECTS) throw refused('The URL of the file redirects too often');
        [text, base] = [response.headers.location ?? '', url];
        response.destroy();
      } catch (error) {
        response.destroy();
        throw error;
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

  #opened(url: URL, response: IncomingMessage, limit: TimeLimit): RemoteFile {
    const { statusCode = 0, headers } = response;
    if (statusCode >= 500 || PASSING_STATUS.has(statusCode)) {
      throw new DependencyError(`The server of the file answered ${statusCode}`);
    }
    if (statusCode !== 200) throw new EngineError('media-missing', `The server of the file answered ${statusCode}`);
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw refused('The server of the file insists on compressing it');
    }
    const length = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
    if (length !== undefined && length > this.#maxBytes) throw this.#tooLarge();
    return {
      mostBytes: length ?? this.#maxBytes,
      read: async () => await answered(limit.spend(this.#body(response, length))).finally(() => response.destroy()),
      close: () => response.destroy(),
      mimetype: headers['content-type']?.split(';')[0]?.trim().toLowerCase() || undefined,
      filename: filenameIn(headers['content-disposition'] ?? '') ?? filenameInPath(url),
    };
  }

  /** @param length as the server said; node:http gives neither more nor less */
  async #body(response: IncomingMessage, length: number | undefined): Promise<Uint8Array> {
    const known = length === undefined ? undefined : Buffer.allocUnsafeSlow(length);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (size + chunk.byteLength > this.#maxBytes) throw this.#tooLarge();
      if (known === undefined) chunks.push(chunk);
      else known.set(chunk, size);
      size += chunk.byteLength;
    }
    return known ?? Buffer.concat(chunks, size);
  }

  #tooLarge(): EngineError {
    return refused(`The file is larger than ${this.#maxBytes} bytes`);
  }
}

/** Time for several things that are done one after the other, with pauses in between that do not count. */
class TimeLimit {
  readonly #over = new AbortController();
  #leftMs: number;

  constructor(ms: number) {
    this.#leftMs = ms;
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** A body that ends with its connection would pass for the whole file when it is the limit that ends it. */
  async spend<T>(work: Promise<T>): Promise<T> {
    const begun = performance.now();
    const timer = setTimeout(() => this.#over.abort(new Error('the time is over')), Math.max(0, this.#leftMs));
    return await unlessAborted(work, this.signal).finally(() => {
      clearTimeout(timer);
      this.#leftMs -= performance.now() - begun;
    });
  }
}

async function answered<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TrunklineError) throw error;
    throw new DependencyError('The server of the file did not answer as it must', { cause: error });
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
