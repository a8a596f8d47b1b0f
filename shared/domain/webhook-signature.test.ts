import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { isWebhookSecret, standardSignature, wahaHmac } from './webhook-signature.ts';

const secret = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`;

it('WAHA’s HMAC is that of its documentation', () => {
  expect(wahaHmac('my-secret-key', '{"event":"message","session":"default","engine":"WEBJS"}')).toBe(
    '208f8a55dde9e05519e898b10b89bf0d0b3b0fdf11fdbf09b6b90476301b98d8097c462b2b17a6ce93b6b47a136cf2e78a33a63f6752c2c1631777076153fa89',
  );
});

describe('the standard signature', () => {
  const now = Math.floor(Date.now() / 1000);
  const body = '{"text":"Grüße 🌍"}';
  const verify = (key: string, signature: string, text = body, id = 'evt_1', seconds = now) =>
    new Webhook(key).verify(text, {
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': signature,
    });

  it('is right for every secret', () => {
    const secrets = [secret(24), secret(64)];
    const signature = standardSignature(secrets, 'evt_1', now, body);
    for (const one of secrets) expect(verify(one, signature)).toEqual({ text: 'Grüße 🌍' });
  });

  it('is of the id, the time and every byte', () => {
    const one = secret(32);
    const signature = standardSignature([one], 'evt_1', now, body);
    expect(() => verify(one, signature, `${body} `)).toThrow();
    expect(() => verify(one, signature, body, 'evt_2')).toThrow();
    expect(() => verify(one, signature, body, 'evt_1', now - 1)).toThrow();
    expect(() => verify(secret(32), signature)).toThrow();
  });
});

describe('a secret', () => {
  it.each([secret(24), secret(25), secret(64)])('%s is one', (text) => expect(isWebhookSecret(text)).toBe(true));
  it.each([
    ['too short', secret(23)],
    ['too long', secret(65)],
    ['without its prefix', randomBytes(32).toString('base64')],
    ['of another alphabet', `whsec_${'-_'.repeat(20)}`],
    ['with something behind it', `${secret(24)}!`],
    ['empty', ''],
  ])('%s is none: %s', (_, text) => expect(isWebhookSecret(text)).toBe(false));
});
