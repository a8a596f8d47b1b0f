import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { DependencyError, EngineError } from '../domain/errors.ts';
import { isPublicAddress } from './public-address.ts';

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true });

/** A URL that may be requested, and the only addresses the connection may go to. */
export interface VettedTarget {
  readonly url: URL;
  readonly addresses: readonly [LookupAddress, ...LookupAddress[]];
}

export function refused(sentence: string): EngineError {
  return new EngineError('media-refused', sentence);
}

/**
 * @throws EngineError `media-refused` when the URL or one of its host's addresses is not allowed, `media-missing` when
 * the host does not exist
 * @throws DependencyError when the name cannot be resolved now
 */
export async function vetTarget(
  text: string,
  base: URL | undefined,
  resolve: Resolve,
  allowPrivateHosts: ReadonlySet<string>,
): Promise<VettedTarget> {
  const url = URL.parse(text, base?.href);
  if (url === null) throw refused('The URL of the file cannot be read');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused('The URL of the file must be http or https');
  if (url.username !== '' || url.password !== '')
    throw refused('The URL of the file must not contain a user or password');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const [first, ...others] = await addressesOf(host, resolve);
  if (first === undefined) throw new EngineError('media-missing', 'The host of the file has no address');
  const allowed = allowPrivateHosts.has(host) || [first, ...others].every(({ address }) => isPublicAddress(address));
  if (!allowed) throw refused('The URL of the file must lead to a public address');
  return { url, addresses: [first, ...others] };
}

async function addressesOf(host: string, resolve: Resolve): Promise<readonly LookupAddress[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  try {
    return await resolve(host);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA')) {
      throw new EngineError('media-missing', 'The host of the file does not exist');
    }
    throw new DependencyError('The host of the file could not be resolved', { cause: error });
  }
}
