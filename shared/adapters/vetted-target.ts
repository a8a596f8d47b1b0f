import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { RuleBrokenBy } from '../ports/target-rule.ts';
import { isNoSuchName, type Resolve } from './host-names.ts';
import { isPublicAddress } from './public-address.ts';

/** A URL that may be requested, and the only addresses the connection may go to. */
export interface VettedTarget {
  readonly url: URL;
  readonly addresses: readonly [LookupAddress, ...LookupAddress[]];
}

export type Vetting =
  | { readonly kind: 'vetted'; readonly target: VettedTarget }
  /** `rule` is what the URL breaks: `must be http or https`. */
  | { readonly kind: 'refused'; readonly rule: string }
  | { readonly kind: 'no-such-host' }
  /** The name cannot be resolved now. */
  | { readonly kind: 'unresolved'; readonly cause: unknown };

type ReadUrl = { readonly kind: 'url'; readonly url: URL } | Extract<Vetting, { kind: 'refused' }>;

const PRIVATE: Vetting & ReadUrl = { kind: 'refused', rule: 'must lead to a public address' };
const LOCALHOST = /^(?:.*\.)?localhost\.?$/;

/**
 * Looks at a URL, at the addresses behind its host, and says where a connection may go.
 *
 * @param allowPrivateHosts host names and addresses that may be private, as they stand in URLs (IPv6 without brackets)
 */
export async function vetTarget(
  text: string,
  base: URL | undefined,
  resolve: Resolve,
  allowPrivateHosts: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Vetting> {
  const read = readUrl(text, base);
  if (read.kind === 'refused') return read;
  const host = hostOf(read.url);
  if (LOCALHOST.test(host) && !allowPrivateHosts.has(host)) return PRIVATE;
  const found = await addressesOf(host, resolve, signal);
  if (found.kind !== 'addresses') return found;
  const [first, ...others] = found.addresses;
  if (first === undefined) return { kind: 'no-such-host' };
  const addresses: VettedTarget['addresses'] = [first, ...others];
  const allowed = allowPrivateHosts.has(host) || addresses.every(({ address }) => isPublicAddress(address));
  return allowed ? { kind: 'vetted', target: { url: read.url, addresses } } : PRIVATE;
}

/** @param allowPrivateHosts as above */
export function createRuleBrokenBy(allowPrivateHosts: ReadonlySet<string>): RuleBrokenBy {
  return (text) => {
    const read = readUrl(text, undefined);
    if (read.kind === 'refused') return read.rule;
    const host = hostOf(read.url);
    if (allowPrivateHosts.has(host)) return undefined;
    const isPrivate = isIP(host) === 0 ? LOCALHOST.test(host) : !isPublicAddress(host);
    return isPrivate ? PRIVATE.rule : undefined;
  };
}

function readUrl(text: string, base: URL | undefined): ReadUrl {
  const url = URL.parse(text, base?.href);
  if (url === null) return { kind: 'refused', rule: 'cannot be read' };
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return { kind: 'refused', rule: 'must be http or https' };
  if (url.username !== '' || url.password !== '') {
    return { kind: 'refused', rule: 'must not contain a user or password' };
  }
  return { kind: 'url', url };
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

type Found =
  | { readonly kind: 'addresses'; readonly addresses: readonly LookupAddress[] }
  | Extract<Vetting, { kind: 'no-such-host' | 'unresolved' }>;

async function addressesOf(host: string, resolve: Resolve, signal: AbortSignal): Promise<Found> {
  const family = isIP(host);
  if (family !== 0) return { kind: 'addresses', addresses: [{ address: host, family }] };
  try {
    return { kind: 'addresses', addresses: await resolve(host, signal) };
  } catch (error) {
    if (isNoSuchName(error)) return { kind: 'no-such-host' };
    return { kind: 'unresolved', cause: error };
  }
}
