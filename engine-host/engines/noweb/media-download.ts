import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { DEFAULT_ORIGIN, getMediaKeys } from '@whiskeysockets/baileys';
import type { MediaContent } from './msgconv/content.ts';

const WHATSAPP_MEDIA = 'https://mmg.whatsapp.net';
const MAC_BYTES = 10;
const MOST_REDIRECTS = 3;

/** Why media is not there, in words for whoever gets the event: those of libraries name addresses. */
export class MediaError extends Error {}

/** WhatsApp has dropped the file; the owner's phone may have it still. */
export class MediaGoneError extends MediaError {}

export const TOO_LATE = 'the media did not arrive in time';
const TOO_LARGE = 'the media is larger than this installation stores';
const GONE = 'WhatsApp does not have the media any more';
const FORGED = 'the media is not what its sender has encrypted';
/** Also what a link is answered with whose time is over. */
const GONE_STATUSES: ReadonlySet<number> = new Set([403, 404, 410]);
const ELSEWHERE = 'the media is not at WhatsApp';

export interface DownloadOptions {
  readonly maxBytes: number;
  /** Ends the download. */
  readonly signal: AbortSignal;
  /** Whether this host is one of WhatsApp's. */
  trusts(hostname: string): boolean;
}

/**
 * Fetches a message's file, checks that it is what its sender has encrypted, and decrypts it. The address is the sender's
 * choice, so only WhatsApp's hosts are asked. (Baileys asks any, checks nothing, and throws past its caller when the
 * connection is cut.)
 *
 * @throws MediaError, or what the network throws
 */
export async function downloadMedia(content: MediaContent, options: DownloadOptions): Promise<Buffer> {
  const { source, kind, bytes } = content;
  if (bytes > options.maxBytes) throw new MediaError(TOO_LARGE);
  const keys = await getMediaKeys(source.mediaKey, kind);
  const response = await request(addressOf(source, options), options);
  const decipher = createDecipheriv('aes-256-cbc', keys.cipherKey, keys.iv);
  const mac = createHmac('sha256', keys.macKey ?? Buffer.alloc(0)).update(keys.iv);
  const plain: Buffer[] = [];
  let tail: Uint8Array = Buffer.alloc(0);
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    if (size > options.maxBytes + MAC_BYTES + 16) throw new MediaError(TOO_LARGE);
    const joined = Buffer.concat([tail, chunk]);
    const ciphertext = joined.subarray(0, Math.max(0, joined.length - MAC_BYTES));
    tail = joined.subarray(ciphertext.length);
    mac.update(ciphertext);
    plain.push(decipher.update(ciphertext));
  }
  const expected = mac.digest().subarray(0, MAC_BYTES);
  if (tail.length !== MAC_BYTES || !timingSafeEqual(expected, tail)) throw new MediaError(FORGED);
  plain.push(decipher.final());
  return Buffer.concat(plain);
}

function addressOf({ url, directPath }: MediaContent['source'], { trusts }: DownloadOptions): URL {
  const named = url && URL.canParse(url) ? new URL(url) : undefined;
  const base = named && isTrusted(named, trusts) ? named : new URL(WHATSAPP_MEDIA);
  const address = directPath && URL.canParse(directPath, base.href) ? new URL(directPath, base) : named;
  if (!address || !isTrusted(address, trusts)) throw new MediaError(ELSEWHERE);
  return address;
}

function isTrusted({ protocol, hostname }: URL, trusts: DownloadOptions['trusts']): boolean {
  return protocol === 'https:' && trusts(hostname);
}

async function request(address: URL, { signal, trusts }: DownloadOptions): Promise<AsyncIterable<Uint8Array>> {
  let at = address;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const response = await fetch(at, { signal, redirect: 'manual', headers: { origin: DEFAULT_ORIGIN } });
    if (response.ok && response.body) return response.body;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (GONE_STATUSES.has(response.status)) throw new MediaGoneError(GONE);
    if (location === null || !URL.canParse(location, at.href)) break;
    at = new URL(location, at);
    if (!isTrusted(at, trusts)) throw new MediaError(ELSEWHERE);
  }
  throw new Error('WhatsApp did not give the media');
}
