import { expect, it } from 'vitest';
import { portRuleBrokenBy } from './media-port.ts';

const ALLOWED = new Set(['files.test', '::1']);

it.each([
  ['http://example.com/a', true],
  ['https://example.com:443/a', true],
  ['https://example.com:80/a', true],
  ['http://example.com:443/a', true],
  ['http://example.com:8080/a', false],
  ['https://example.com:8443/a', false],
  ['http://example.com:22/a', false],
  ['http://files.test:8080/a', true],
  ['http://[::1]:8080/a', true],
  ['http://sub.files.test:8080/a', false],
])('%s: %s', (url, isFine) => {
  expect(portRuleBrokenBy(new URL(url), ALLOWED)).toBe(isFine ? undefined : 'must have the port 80 or 443');
});
