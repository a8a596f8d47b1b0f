import { describe, expect, it } from 'vitest';
import { wahaHmac } from '#shared/domain/webhook-signature.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { deliveryRequest } from './delivery-request.ts';

const NOW = 1_763_396_580_579;
const envelope = eventEnvelope({ event: 'message', payload: waMessage({ id: 'AAAAAA1', body: 'Grüße' }) });
const request = (webhook: Parameters<typeof deliveryRequest>[1] = {}, event = envelope) =>
  deliveryRequest(event, webhook, 'Trunkline/test', NOW);

describe('one try', () => {
  it('has the event as its body, and WAHA’s headers', () => {
    const { body, headers } = request({ hmac: { key: 'k' } });
    expect(JSON.parse(body)).toEqual(envelope);
    expect(headers).toEqual({
      'content-type': 'application/json',
      'user-agent': 'Trunkline/test',
      'X-Webhook-Request-Id': expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/),
      'X-Webhook-Timestamp': '1763396580579',
      'X-Webhook-Hmac': wahaHmac('k', body),
      'X-Webhook-Hmac-Algorithm': 'sha512',
      'webhook-id': envelope.id,
      'webhook-timestamp': '1763396580',
    });
  });

  it('is not signed without a key', () => {
    const { headers } = request({ hmac: { key: null }, secrets: [] });
    expect(Object.keys(headers).join()).not.toMatch(/hmac|signature/i);
  });

  it('is the same body each time, under another request id', () => {
    const [one, other] = [request(), request()];
    expect(one.body).toBe(other.body);
    expect(one.headers['X-Webhook-Request-Id']).not.toBe(other.headers['X-Webhook-Request-Id']);
  });

  it('carries the trace on', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(request({}, { ...envelope, traceparent }).headers.traceparent).toBe(traceparent);
  });

  it('has own headers, which replace none of these and none of HTTP', () => {
    const names = ['X-Tenant', 'authorization', 'Webhook-Id', 'X-WEBHOOK-HMAC', 'Host', 'Content-Length', 'Connection'];
    const { headers } = request({ customHeaders: names.map((name) => ({ name, value: 'evil' })) });
    expect(headers).toMatchObject({ 'x-tenant': 'evil', authorization: 'evil', 'webhook-id': envelope.id });
    expect(Object.values(headers).filter((value) => value === 'evil')).toHaveLength(2);
  });
});
