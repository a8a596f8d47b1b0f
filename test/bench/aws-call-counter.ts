import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';

/** How often each AWS operation was called. */
export type AwsCalls = Readonly<Record<string, number>>;

/** In the user agent of AWS clients that are the benchmark's own. */
export const BENCH_USER_AGENT = 'trunkline-bench';

/**
 * Counts AWS calls in the process that has the local cloud and the functions in it: what it serves but did not ask for
 * itself came from the host.
 */
export class AwsCallCounter {
  readonly #served = new Map<string, number>();
  readonly #asked = new Map<string, number>();

  constructor() {
    // The messages are what Node documents for these channels.
    subscribe('http.server.request.start', (message) => {
      const { request } = message as { request: IncomingMessage };
      if (request.headers['user-agent']?.includes(BENCH_USER_AGENT)) return;
      count(this.#served, operation(request.headers['x-amz-target'], request.url ?? '', request.headers.authorization));
    });
    subscribe('http.client.request.start', (message) => {
      const { request } = message as { request: ClientRequest };
      count(
        this.#asked,
        operation(request.getHeader('x-amz-target'), request.path, request.getHeader('authorization')),
      );
    });
  }

  counts(): { readonly host: AwsCalls; readonly launcher: AwsCalls } {
    const host = [...this.#served].map(([name, calls]) => [name, calls - (this.#asked.get(name) ?? 0)] as const);
    return {
      host: Object.fromEntries(host.filter(([, calls]) => calls > 0)),
      launcher: Object.fromEntries(this.#asked),
    };
  }
}

function count(counts: Map<string, number>, name: string | undefined): void {
  if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** `DynamoDB_20120810.GetItem` for most; S3 has the operation in the query. Undefined: no AWS call. */
function operation(target: unknown, path: string, authorization: unknown): string | undefined {
  if (typeof target === 'string') return target.split('.').at(-1);
  if (typeof authorization !== 'string' || !authorization.startsWith('AWS4-')) return undefined;
  return /[?&]x-id=(\w+)/.exec(path)?.[1] ?? 'S3 other';
}
