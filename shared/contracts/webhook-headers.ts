/** Headers that are ours, or belong to the connection and not to what is sent over it. */
const RESERVED: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'traceparent',
  'upgrade',
  'user-agent',
  'via',
]);
const RESERVED_BEGINNINGS = ['proxy-', 'webhook-', 'x-webhook-'];

/** Whether a webhook's own headers must not have this name. */
export function isReservedHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return RESERVED.has(lower) || RESERVED_BEGINNINGS.some((beginning) => lower.startsWith(beginning));
}

/** Whether HTTP has room for it. */
export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(name);
}

/** Visible characters of Latin-1, spaces and tabs; no line ends above all. */
export function isHeaderValue(value: string): boolean {
  return value.length <= 4_096 && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
