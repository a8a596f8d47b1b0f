import { expect, it } from 'vitest';
import { EventBridgeStub } from '#test/contracts/event-bridge-stub.ts';
import { schemaErrors } from '#test/contracts/published-schemas.ts';
import { EventBridgeWebhookNotices } from './event-bridge-webhook-notices.ts';

it('tells in the published form that an endpoint gets nothing any more', async () => {
  const bridge = await EventBridgeStub.start();
  const notice = { session: 'alpha', endpointId: 'wh_1', reason: 'gone', at: 7_000 } as const;
  await new EventBridgeWebhookNotices(bridge.client).disabled(notice);
  await bridge.close();
  expect(bridge.details).toEqual([{ ...notice, schemaVersion: 1 }]);
  expect(schemaErrors('webhook.disabled', bridge.details[0])).toEqual([]);
});
