import * as http from 'node:http';
import * as https from 'node:https';
import type { LookupFunction } from 'node:net';
import { unlessAborted } from '../domain/unless-aborted.ts';
import { createHostNames, type Resolve } from './host-names.ts';
import { type VettedTarget, type Vetting, vetTarget } from './vetted-target.ts';

export interface GuardedHttpOptions {
  /** Host names and addresses that may be private, as they stand in URLs (IPv6 without brackets). @default none */
  readonly allowPrivateHosts?: readonly string[];
  /** Connections wait for further requests to the same vetted addresses. @default false */
  readonly keepAlive?: boolean;
  /** @default the system's name servers, and the system itself for `allowPrivateHosts` */
  readonly resolve?: Resolve;
}

export interface GuardedRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** What a relative URL is relative to. */
  readonly base?: URL;
  /** Ends everything: names, connection, body. */
  readonly signal: AbortSignal;
}

export type GuardedAnswer =
  | { readonly kind: 'answered'; readonly url: URL; readonly response: http.IncomingMessage }
  | Exclude<Vetting, { kind: 'vetted' }>;

interface PinnedOptions extends https.RequestOptions {
  /** The addresses that the connection may go to. */
  readonly pinnedTo: string;
}

/** Connections are shared among requests that may go to the same addresses only. */
const pinnedName = (name: string, options: object | undefined) =>
  `${name}|${options !== undefined && 'pinnedTo' in options ? String(options.pinnedTo) : ''}`;

class PinnedHttpAgent extends http.Agent {
  override getName(options?: http.ClientRequestArgs): string {
    return pinnedName(super.getName(options), options);
  }
}

class PinnedHttpsAgent extends https.Agent {
  override getName(options?: https.RequestOptions): string {
    return pinnedName(super.getName(options), options);
  }
}

/**
 * The only way out to an address that a user gave: public addresses and those that the operator allows, connected to
 * as they were vetted, whatever the name resolves to by then. No redirects, no proxy, no credentials.
 */
export class GuardedHttp {
  readonly #allowPrivateHosts: ReadonlySet<string>;
  readonly #resolve: Resolve;
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent };

  constructor({ allowPrivateHosts = [], keepAlive = false, resolve }: GuardedHttpOptions = {}) {
    this.#allowPrivateHosts = new Set(allowPrivateHosts);
    this.#resolve = resolve ?? createHostNames({ ofOperator: this.#allowPrivateHosts });
    this.#agents = { http: new PinnedHttpAgent({ keepAlive }), https: new PinnedHttpsAgent({ keepAlive }) };
  }

  /**
   * @returns the answer up to its headers, at the latest when the signal says so; whoever reads on looks at it again
   * @throws what node:http throws when there is no answer, and the signal's reason
   */
  async request(text: string, request: GuardedRequest): Promise<GuardedAnswer> {
    return await unlessAborted(this.#request(text, request), request.signal);
  }

  async #request(text: string, request: GuardedRequest): Promise<GuardedAnswer> {
    const { signal, base } = request;
    signal.throwIfAborted();
    const vetting = await vetTarget(text, base, this.#resolve, this.#allowPrivateHosts, signal);
    if (vetting.kind !== 'vetted') return vetting;
    signal.throwIfAborted();
    return { kind: 'answered', url: vetting.target.url, response: await this.#send(vetting.target, request) };
  }

  /** Closes connections that wait. */
  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #send(target: VettedTarget, request: GuardedRequest, again = false): Promise<http.IncomingMessage> {
    const isTls = target.url.protocol === 'https:';
    const { method, headers, body, signal } = request;
    const options: PinnedOptions = {
      method,
      headers,
      signal,
      lookup: lookupIn(target),
      pinnedTo: target.addresses
        .map(({ address }) => address)
        .toSorted()
        .join(),
      // Where one waiting connection was closed the others may be, too.
      agent: again ? false : isTls ? this.#agents.https : this.#agents.http,
    };
    const sent = (isTls ? https : http).request(target.url, options);
    try {
      return await new Promise((resolve, reject) => {
        sent
          .on('response', resolve)
          .on('error', reject)
          // Nobody asked for it, and without a listener node:http would end the request without a word.
          .on('upgrade', (_answer, socket) => {
            socket.destroy();
            reject(new Error('the server wants to speak another protocol'));
          })
          .end(body);
      });
    } catch (error) {
      // The other side closed a connection that had waited, as it may. It hardly ever has looked at the request.
      if (!again && sent.reusedSocket && wasClosed(error) && !signal.aborted)
        return await this.#send(target, request, true);
      throw error;
    }
  }
}

function lookupIn({ addresses }: VettedTarget): LookupFunction {
  return (_hostname, options, callback) => {
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, addresses[0].address, addresses[0].family);
  };
}

function wasClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}
