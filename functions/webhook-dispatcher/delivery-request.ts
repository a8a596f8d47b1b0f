import { ulid } from 'ulid';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import { isReservedHeader } from '#shared/contracts/webhook-headers.ts';
import type { WebhookConfig } from '#shared/contracts/webhooks.ts';
import { standardSignature, wahaHmac } from '#shared/domain/webhook-signature.ts';

export interface DeliveryRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * One try to deliver an event: the body is signed as it is sent. `webhook-id` stays the same over all tries.
 *
 * @param now milliseconds since 1970
 */
export function deliveryRequest(
  envelope: EventEnvelope,
  { hmac, secrets, customHeaders }: Pick<WebhookConfig, 'hmac' | 'secrets' | 'customHeaders'>,
  userAgent: string,
  now: number,
): DeliveryRequest {
  const body = JSON.stringify(envelope);
  const seconds = Math.floor(now / 1000);
  const custom = (customHeaders ?? []).filter(({ name }) => !isReservedHeader(name));
  return {
    body,
    headers: {
      ...Object.fromEntries(custom.map(({ name, value }) => [name.toLowerCase(), value])),
      'content-type': 'application/json',
      'user-agent': userAgent,
      'X-Webhook-Request-Id': ulid(now),
      'X-Webhook-Timestamp': String(now),
      ...(hmac?.key && { 'X-Webhook-Hmac': wahaHmac(hmac.key, body), 'X-Webhook-Hmac-Algorithm': 'sha512' }),
      'webhook-id': envelope.id,
      'webhook-timestamp': String(seconds),
      ...(secrets?.length && { 'webhook-signature': standardSignature(secrets, envelope.id, seconds, body) }),
      ...(envelope.traceparent !== undefined && { traceparent: envelope.traceparent }),
    },
  };
}
