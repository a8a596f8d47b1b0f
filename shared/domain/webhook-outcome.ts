/** What came of one POST to a webhook, as the network tells it. */
export type WebhookAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfter?: string }
  /** No complete answer in time. */
  | { readonly kind: 'timeout' }
  /** No connection, or one that broke: a code like `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `no-such-host`. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** The guard lets nobody go there; `rule` is what the URL breaks. */
  | { readonly kind: 'refused'; readonly rule: string };

/** What it means for the event and the endpoint. */
export type DeliveryOutcome =
  | { readonly kind: 'delivered'; readonly status: number }
  /** The receiver asks to be left alone for a while; `waitMs` is above 0. */
  | { readonly kind: 'rate-limited'; readonly status: number; readonly waitMs: number }
  /** The endpoint does not work now, or not as it is configured; both can be repaired. */
  | { readonly kind: 'transient'; readonly reason: string; readonly status?: number }
  /** The receiver is well and does not want this very event. */
  | { readonly kind: 'permanent'; readonly status: number }
  /** The receiver does not want to hear from us any more. */
  | { readonly kind: 'gone'; readonly status: number };

const GONE = 410;
/** What is wrong is the event as it was sent, and will be wrong again: bad request, too large, of no known type, unprocessable. */
const PERMANENT_STATUS: ReadonlySet<number> = new Set([400, 413, 415, 422]);
const LONGEST_WAIT_MS = 24 * 3_600_000;
/** The three forms of a date in HTTP (RFC 9110, 5.6.7), all in GMT. What else `Date.parse` takes for one, says nothing. */
const HTTP_DATES: readonly RegExp[] = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/**
 * Tells outcomes apart. Redirects are not followed; they, 401, 403, 404 and the like say that the endpoint is configured
 * wrongly, on either side: the events are worth keeping until somebody has repaired it.
 */
export function deliveryOutcome(answer: WebhookAnswer, now: number): DeliveryOutcome {
  switch (answer.kind) {
    case 'timeout':
      return { kind: 'transient', reason: 'timeout' };
    case 'unreachable':
      return { kind: 'transient', reason: answer.reason };
    case 'refused':
      return { kind: 'transient', reason: `url-${answer.rule.replaceAll(' ', '-')}` };
    case 'answered': {
      const { status } = answer;
      if (status >= 200 && status < 300) return { kind: 'delivered', status };
      if (status === GONE) return { kind: 'gone', status };
      if (PERMANENT_STATUS.has(status)) return { kind: 'permanent', status };
      const waitMs = retryAfterMs(answer.retryAfter, now);
      if (waitMs !== undefined && (status === 429 || status === 503)) return { kind: 'rate-limited', status, waitMs };
      return { kind: 'transient', reason: `status-${status}`, status };
    }
  }
}

/**
 * Reads `Retry-After` in both its forms, seconds and a date.
 * @returns milliseconds from now on, above 0 and a day at most; undefined when it says nothing, or asks for no time
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : httpDate(text) - now;
  return wait > 0 ? Math.min(wait, LONGEST_WAIT_MS) : undefined;
}

function httpDate(text: string): number {
  if (!HTTP_DATES.some((form) => form.test(text))) return Number.NaN;
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
}
