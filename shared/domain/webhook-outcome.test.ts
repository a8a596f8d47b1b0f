import { describe, expect, it } from 'vitest';
import { deliveryOutcome, retryAfterMs, type WebhookAnswer } from './webhook-outcome.ts';

const NOW = Date.UTC(2026, 0, 1);
const answered = (status: number, retryAfter?: string): WebhookAnswer => ({
  kind: 'answered',
  status,
  ...(retryAfter !== undefined && { retryAfter }),
});
const kindOf = (answer: WebhookAnswer) => deliveryOutcome(answer, NOW).kind;

describe('an answer', () => {
  it.each([
    ['delivered', [200, 201, 202, 204, 299]],
    ['transient', [100, 300, 301, 302, 307, 308, 401, 403, 404, 405, 408, 409, 418, 425, 429, 451, 500, 502, 503, 599]],
    ['permanent', [400, 413, 415, 422]],
    ['gone', [410]],
  ] as const)('is %s: %o', (kind, statuses) => {
    for (const status of statuses) expect(kindOf(answered(status)), String(status)).toBe(kind);
  });

  it('with Retry-After asks to wait, with 429 and 503 only', () => {
    expect(deliveryOutcome(answered(429, '7'), NOW)).toEqual({ kind: 'rate-limited', status: 429, waitMs: 7_000 });
    expect(kindOf(answered(503, '7'))).toBe('rate-limited');
    expect(kindOf(answered(503, 'soon'))).toBe('transient');
    expect(kindOf(answered(429, '0'))).toBe('transient');
    expect(kindOf(answered(500, '7'))).toBe('transient');
    expect(kindOf(answered(410, '7'))).toBe('gone');
    expect(kindOf(answered(200, '7'))).toBe('delivered');
  });

  it('that never came says why', () => {
    expect(deliveryOutcome({ kind: 'timeout' }, NOW)).toEqual({ kind: 'transient', reason: 'timeout' });
    expect(deliveryOutcome({ kind: 'unreachable', reason: 'ECONNREFUSED' }, NOW)).toEqual({
      kind: 'transient',
      reason: 'ECONNREFUSED',
    });
    expect(deliveryOutcome({ kind: 'refused', rule: 'must lead to a public address' }, NOW)).toEqual({
      kind: 'transient',
      reason: 'url-must-lead-to-a-public-address',
    });
  });
});

describe('Retry-After', () => {
  it.each([
    ['0', undefined],
    [' 120 ', 120_000],
    ['999999999', 86_400_000],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
    ['Thursday, 01-Jan-26 00:02:00 GMT', 120_000],
    ['Thu Jan  1 00:02:00 2026', 120_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', undefined],
    ['Fri, 01 Jan 2100 00:00:00 GMT', 86_400_000],
    ['', undefined],
    ['soon', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['5;foo', undefined],
    ['12 seconds', undefined],
    ['soon 2030', undefined],
    ['2030-01-01', undefined],
    ['Thu, 99 Jan 2026 00:02:00 GMT', undefined],
    [undefined, undefined],
  ])('%s is %s', (header, expected) => {
    expect(retryAfterMs(header, NOW)).toBe(expected);
  });
});
