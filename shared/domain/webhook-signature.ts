import { createHmac } from 'node:crypto';

const SECRET_PREFIX = 'whsec_';
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

export const WEBHOOK_SECRET_RULE = 'whsec_ and the base64 of 24 to 64 bytes';

/** Whether a text is a secret of Standard Webhooks. */
export function isWebhookSecret(text: string): boolean {
  const bytes = secretBytes(text);
  return bytes !== undefined && bytes.byteLength >= LEAST_BYTES && bytes.byteLength <= MOST_BYTES;
}

/** WAHA's signature: HMAC-SHA512 of the raw body, lower-case hex. */
export function wahaHmac(key: string, body: string): string {
  return createHmac('sha512', key).update(body).digest('hex');
}

/**
 * `webhook-signature` of Standard Webhooks: `v1,<base64>` for each secret, with a space between. A receiver accepts the
 * message when one of them is right, so secrets can be exchanged one after the other.
 *
 * @param seconds since 1970, as in `webhook-timestamp`
 */
export function standardSignature(secrets: readonly string[], id: string, seconds: number, body: string): string {
  return secrets
    .flatMap((secret) => {
      const key = secretBytes(secret);
      if (key === undefined) return [];
      return [`v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`];
    })
    .join(' ');
}

function secretBytes(secret: string): Buffer | undefined {
  if (!secret.startsWith(SECRET_PREFIX)) return undefined;
  const text = secret.slice(SECRET_PREFIX.length);
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '') ? bytes : undefined;
}
