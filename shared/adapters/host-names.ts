import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import PQueue from 'p-queue';

/**
 * All addresses of a host name.
 *
 * @throws an error with a `code` of node:dns, and the signal's reason
 */
export type Resolve = (hostname: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;

export interface HostNamesOptions {
  /** Names that the operator knows of: the system resolves them, with its hosts file and whatever else it goes by. */
  readonly ofOperator?: ReadonlySet<string>;
  /** Name servers with their ports. @default the system's */
  readonly servers?: readonly string[];
  /** Names that are asked for at once; the others wait in order. @default 100 */
  readonly atOnce?: number;
  /** For one name, without the wait for its turn. @default 5000 */
  readonly timeoutMs?: number;
}

const AT_ONCE = 100;
const TIMEOUT_MS = 5_000;
const ONE_TRY = { timeout: 2_000, tries: 2 };
const NO_SUCH_NAME: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

/**
 * Resolves names that users give. The system does that on a few threads that everything in the process shares, and cannot
 * be interrupted: names whose servers are silent would keep it from the addresses of AWS and WhatsApp. So name servers are
 * asked directly, and the system only for what the operator has named, one at a time.
 */
export function createHostNames(options: HostNamesOptions = {}): Resolve {
  const { ofOperator = new Set(), servers, atOnce = AT_ONCE, timeoutMs = TIMEOUT_MS } = options;
  const bySystem = new PQueue({ concurrency: 1 });
  const byServers = new PQueue({ concurrency: atOnce });
  return (hostname, signal) => {
    const isOfOperator = ofOperator.has(hostname);
    return (isOfOperator ? bySystem : byServers).add(async () => {
      signal.throwIfAborted();
      if (isOfOperator) return await lookup(hostname, { all: true });
      const resolver = new Resolver(ONE_TRY);
      if (servers !== undefined) resolver.setServers(servers);
      return await ask(resolver, hostname, signal, timeoutMs);
    });
  };
}

/** @returns what is known when the time is over, in the order in which connections are tried */
async function ask(
  resolver: Resolver,
  hostname: string,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<readonly LookupAddress[]> {
  const end = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const cancel = () => resolver.cancel();
  end.addEventListener('abort', cancel, { once: true });
  try {
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    signal.throwIfAborted();
    const addresses = [...addressesIn(v4, 4), ...addressesIn(v6, 6)];
    if (addresses.length > 0) return addresses;
    const failures = [v4, v6].flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    // That there is none of one kind says nothing of the kind that nobody answered for.
    const telling = failures.find((error) => !isNoSuchName(error)) ?? failures[0];
    if (telling !== undefined) throw telling;
    return addresses;
  } finally {
    end.removeEventListener('abort', cancel);
  }
}

function addressesIn(answer: PromiseSettledResult<readonly string[]>, family: 4 | 6): LookupAddress[] {
  return answer.status === 'rejected' ? [] : answer.value.map((address) => ({ address, family }));
}

/** Whether a resolver's error says that nobody has the name. */
export function isNoSuchName(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NO_SUCH_NAME.has(error.code);
}
