import { WA_CERT_DETAILS } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { nowebSettings } from './options.ts';

test.each(['wss://web.whatsapp.com/ws/chat', 'ws://127.0.0.1:8080/ws/chat', 'ws://localhost:1/', 'ws://[::1]:1/'])(
  'speaks to %s',
  (whatsappUrl) => {
    expect(nowebSettings({ whatsappUrl }).whatsappUrl).toBe(whatsappUrl);
  },
);

test.each([
  ['ws://web.whatsapp.com/ws/chat', /only to this machine/],
  ['ws://127.0.0.1.example.com/', /only to this machine/],
  ['https://web.whatsapp.com/', /must be wss:/],
  ['web.whatsapp.com', /not a URL/],
])('refuses %s', (whatsappUrl, reason) => {
  expect(() => nowebSettings({ whatsappUrl })).toThrow(reason);
});

const REAL = 'wss://web.whatsapp.com/ws/chat';
const LOCAL = 'ws://127.0.0.1:8080/ws/chat';
const OTHER = Buffer.alloc(32, 9);
const other = OTHER.toString('base64');

test("trusts WhatsApp's root, everywhere", () => {
  for (const whatsappUrl of [REAL, LOCAL]) {
    expect(nowebSettings({ whatsappUrl }).rootKey).toEqual(WA_CERT_DETAILS.PUBLIC_KEY);
    const whatsappRootKey = WA_CERT_DETAILS.PUBLIC_KEY.toString('base64');
    expect(nowebSettings({ whatsappUrl, whatsappRootKey }).rootKey).toEqual(WA_CERT_DETAILS.PUBLIC_KEY);
  }
});

test('trusts another root only on this machine', () => {
  expect(nowebSettings({ whatsappUrl: LOCAL, whatsappRootKey: other }).rootKey).toEqual(OTHER);
  expect(nowebSettings({ whatsappUrl: 'wss://localhost/', whatsappRootKey: other }).rootKey).toEqual(OTHER);
  for (const whatsappUrl of [REAL, 'wss://127.0.0.1.example.com/', 'wss://10.0.0.1/']) {
    expect(() => nowebSettings({ whatsappUrl, whatsappRootKey: other })).toThrow(/only at an address on this machine/);
  }
});

test('trusts no root that is no key', () => {
  expect(() => nowebSettings({ whatsappUrl: LOCAL, whatsappRootKey: 'AAAA' })).toThrow(/32 bytes/);
});

test('fetches media from WhatsApp, and from this machine only where WhatsApp is on it', () => {
  const hosts = [
    'mmg.whatsapp.net',
    'media-fra3-1.cdn.whatsapp.net',
    '127.0.0.1',
    '10.0.0.1',
    'evilwhatsapp.net',
    'x.com',
  ];
  const fetched = (whatsappUrl: string) => hosts.filter((host) => nowebSettings({ whatsappUrl }).isMediaHost(host));
  expect(fetched(REAL)).toEqual(hosts.slice(0, 2));
  expect(fetched(LOCAL)).toEqual(hosts.slice(0, 3));
});
