import { expect, it } from 'vitest';
import { webhookEndpointId } from './webhook-endpoint-id.ts';

it('is always the same for a URL, and another for its repetitions and the installation’s own', () => {
  const url = 'https://a.test/';
  const ids = [webhookEndpointId(url, 0), webhookEndpointId(url, 1), webhookEndpointId(url, 'global')];
  expect(ids[0]).toBe('wh_979f8e48968c9a4ec92b');
  expect(new Set([...ids, webhookEndpointId('https://b.test/', 0)]).size).toBe(4);
});
