import { WHATSAPP_ROOT_KEY } from './certificate-chain.ts';
import type { InboxLimits } from './inbox-budget.ts';

/** How the NOWEB engine is set up. Durations in milliseconds. */
export interface NowebOptions {
  /** WhatsApp's websocket. `ws:` is taken only for an address on this machine. */
  readonly whatsappUrl: string;
  /**
   * Public key that has to have signed the server's certificates, 32 bytes in base64. Another than WhatsApp's is taken only
   * for an address on this machine.
   * @default WhatsApp's
   */
  readonly whatsappRootKey?: string | undefined;
  /** Longest pause between two pings of a connection. @default 30000 */
  readonly pingMs?: number;
  /** Silence after a ping from which on the connection is dead. @default 10000 */
  readonly pingAnswerMs?: number;
  /** @default 20000 */
  readonly connectTimeoutMs?: number;
  /** Exponential backoff with full jitter after a lost connection. @default 500 … 60000 */
  readonly reconnect?: { readonly baseMs: number; readonly maxMs: number };
  /** Exponential backoff, at least half of each pause, after a server that did not prove to be WhatsApp's. @default 30000 … 300000 */
  readonly distrust?: { readonly baseMs: number; readonly maxMs: number };
  /** What follows "replaced by another connection" (440). @default 3 attempts after 60000 each */
  readonly conflict?: { readonly waitMs: number; readonly attempts: number };
  /** A drop that is mended within this time is not reported as STARTING. @default 10000 */
  readonly blipMs?: number;
  /** QR codes shown until the session fails with `qr-expired`. @default 6 */
  readonly qrCodes?: number;
  /** How long each QR code lives. @default WhatsApp's own times: 60000 for the first, 20000 for the others */
  readonly qrLifetimeMs?: number;
  /** How long a send waits for the server's ack before it is tried again with the same id. @default 20000 */
  readonly ackTimeoutMs?: number;
  /** How long after a login sends wait for the backlog, in which receipts may prove them done. @default 5000 */
  readonly catchUpMs?: number;
  /** What may wait for the bus before no more is received: of a session, of the host. @default 4 and 48 MiB */
  readonly inboxLimits?: InboxLimits;
  /** Downloads of small received media at once, on the whole host, besides two of large ones. @default 8 */
  readonly mediaDownloads?: number;
  /** Received media above this is not stored. In bytes. @default 64 MiB */
  readonly mediaMaxBytes?: number;
  /**
   * Media that is sent and in memory at once, on the whole host; more of it waits. Half of it is for files above 8 MiB. In bytes.
   * @default 128 MiB
   */
  readonly outgoingMediaBytes?: number;
  /** What received media has to get into the bucket; then its event goes out without it. @default 30000 */
  readonly mediaTimeoutMs?: number;
  /**
   * `durable`: every frame waits for the state before it to be durable. `off` is for showing what is lost without it.
   * @default 'durable'
   */
  readonly gate?: 'off' | 'durable';
  /** Shown in the phone's list of linked devices unless the session's config says otherwise. */
  readonly deviceName?: string;
  readonly browserName?: string;
}

export type NowebSettings = Required<Omit<NowebOptions, 'qrLifetimeMs' | 'whatsappRootKey'>> &
  Pick<NowebOptions, 'qrLifetimeMs'> & {
    readonly rootKey: Uint8Array;
    /** Whether media may be fetched from this host. */
    isMediaHost(hostname: string): boolean;
  };

const MIB = 1024 * 1024;

/** @throws Error when the address is not one the engine may speak to, or the root key not one it may trust there */
export function nowebSettings({ whatsappRootKey, ...options }: NowebOptions): NowebSettings {
  checkAddress(options.whatsappUrl);
  const isLocal = LOOPBACK.test(new URL(options.whatsappUrl).hostname);
  return {
    pingMs: 30_000,
    pingAnswerMs: 10_000,
    connectTimeoutMs: 20_000,
    reconnect: { baseMs: 500, maxMs: 60_000 },
    distrust: { baseMs: 30_000, maxMs: 300_000 },
    conflict: { waitMs: 60_000, attempts: 3 },
    blipMs: 10_000,
    qrCodes: 6,
    ackTimeoutMs: 20_000,
    catchUpMs: 5_000,
    inboxLimits: { session: 4 * MIB, host: 48 * MIB },
    mediaDownloads: 8,
    mediaMaxBytes: 64 * MIB,
    mediaTimeoutMs: 30_000,
    outgoingMediaBytes: 128 * MIB,
    gate: 'durable',
    deviceName: 'Mac OS',
    browserName: 'Chrome',
    ...options,
    rootKey: rootKey(whatsappRootKey, options.whatsappUrl),
    isMediaHost: (hostname) => hostname.endsWith('.whatsapp.net') || (isLocal && LOOPBACK.test(hostname)),
  };
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function checkAddress(address: string): void {
  if (!URL.canParse(address)) throw new Error(`the WhatsApp address is not a URL: ${address}`);
  const url = new URL(address);
  if (url.protocol === 'wss:') return;
  if (url.protocol !== 'ws:') throw new Error(`the WhatsApp address must be wss:, not ${url.protocol}`);
  if (!LOOPBACK.test(url.hostname)) {
    throw new Error(`unencrypted ws: is allowed only to this machine, not to ${url.hostname}; use wss:`);
  }
}

/** Whoever could name another root for the real WhatsApp could be in between. */
function rootKey(encoded: string | undefined, address: string): Uint8Array {
  if (encoded === undefined) return WHATSAPP_ROOT_KEY;
  const key = Buffer.from(encoded, 'base64');
  if (key.length !== 32) throw new Error('the root key of the WhatsApp address must be 32 bytes in base64');
  if (key.equals(WHATSAPP_ROOT_KEY) || LOOPBACK.test(new URL(address).hostname)) return key;
  throw new Error("another root key than WhatsApp's is trusted only at an address on this machine");
}
