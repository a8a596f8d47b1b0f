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
