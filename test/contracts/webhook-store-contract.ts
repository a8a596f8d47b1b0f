import { beforeEach, describe, expect, it } from 'vitest';
import type { WebhookDeliveryRow } from '#shared/contracts/webhook-rows.ts';
import type { WebhookStore } from '#shared/ports/webhook-store.ts';

const KEY = { session: 'alpha', endpointId: 'wh_1', addedAt: 5 };

export function delivery(seq: number, fields: Partial<WebhookDeliveryRow> = {}): Omit<WebhookDeliveryRow, 'endpoint'> {
  return {
    seq,
    state: 'RETRYING',
    eventId: `evt_${seq}`,
    event: 'message',
    loggedAt: 1,
    attempts: 1,
    giveUpAt: 100,
    dueAt: 10,
    ttl: 4_000_000_000,
    ...fields,
  };
}

/** What every webhook store does. @param factory gives an empty store */
export function defineWebhookStoreContract(name: string, factory: () => Promise<WebhookStore>): void {
  describe(`${name}: a webhook store`, () => {
    let store: WebhookStore;
    beforeEach(async () => {
      store = await factory();
      await store.declare('alpha', 'wh_1', 5, 7);
    });

    const row = () => store.get('alpha', 'wh_1');
    const seqs = async (endpointId = 'wh_1') =>
      (await store.deliveries('alpha', endpointId, { limit: 100, after: -1 })).map(({ seq }) => seq);

    it('makes a row once', async () => {
      await store.declare('alpha', 'wh_1', 9, 99);
      expect(await row()).toEqual({ ...KEY, cursor: 7, failures: 0, delivered: 0, failed: 0 });
      expect(await store.get('alpha', 'wh_2')).toBeUndefined();
    });

    it('advances what is given, and counts', async () => {
      const last = { at: 3, outcome: 'delivered', status: 200, eventId: 'evt_1' } as const;
      await store.advance(KEY, { cursor: 8, delivered: 2, failed: 1, last });
      const advanced = await store.advance(KEY, { failures: 4, nextTryAt: 50, delivered: 1 });
      expect(advanced).toEqual({ ...KEY, cursor: 8, failures: 4, nextTryAt: 50, delivered: 3, failed: 1, last });
      expect(await row()).toEqual(advanced);
      expect(await store.advance(KEY, { nextTryAt: null })).not.toHaveProperty('nextTryAt');
    });

    it('writes nothing into a row that is gone or of another making', async () => {
      expect(await store.advance({ ...KEY, addedAt: 6 }, { cursor: 9 })).toBeUndefined();
      expect(await store.setAside({ ...KEY, addedAt: 6 }, [delivery(1)])).toBe(false);
      expect(await store.advance({ ...KEY, endpointId: 'wh_2' }, { cursor: 9 })).toBeUndefined();
      expect(await store.list('alpha')).toEqual([{ ...KEY, cursor: 7, failures: 0, delivered: 0, failed: 0 }]);
    });

    it('enables what was disabled or left alone', async () => {
      await store.advance(KEY, { failures: 9, nextTryAt: 50, disabled: { at: 40, reason: 'gone' } });
      expect(await row()).toMatchObject({ disabledAt: 40, disabledReason: 'gone' });
      await store.enable('alpha', 'wh_1');
      expect(await row()).toEqual({ ...KEY, cursor: 7, failures: 0, delivered: 0, failed: 0 });
      await store.enable('alpha', 'wh_2');
      expect(await store.get('alpha', 'wh_2')).toBeUndefined();
    });

    it('keeps deliveries by place, the later writing of the same', async () => {
      expect(await store.setAside(KEY, [delivery(12), delivery(3), delivery(9, { state: 'FAILED' })])).toBe(true);
      await store.setAside(KEY, [delivery(12, { attempts: 2, chatId: '1@c.us' })]);
      expect(await seqs()).toEqual([3, 9, 12]);
      expect(await store.retrying('alpha', 'wh_1')).toEqual([
        { ...delivery(3), endpoint: 'alpha#wh_1' },
        { ...delivery(12, { attempts: 2, chatId: '1@c.us' }), endpoint: 'alpha#wh_1' },
      ]);
      await store.settle('alpha', 'wh_1', 3);
      await store.settle('alpha', 'wh_1', 3);
      expect(await seqs()).toEqual([9, 12]);
    });

    it('has only those that wait for another try among the retrying, however often they change', async () => {
      const retrying = async () => (await store.retrying('alpha', 'wh_1')).map(({ seq }) => seq);
      await store.setAside(KEY, [delivery(3), delivery(4, { state: 'FAILED' }), delivery(10)]);
      expect(await retrying()).toEqual([3, 10]);
      await store.setAside(KEY, [delivery(3, { state: 'FAILED' }), delivery(4)]);
      expect(await retrying()).toEqual([4, 10]);
      await store.settle('alpha', 'wh_1', 4);
      expect(await retrying()).toEqual([10]);
    });

    it('pages deliveries, all or those of a state', async () => {
      const many = Array.from({ length: 60 }, (_, index) =>
        delivery(index, index % 2 === 0 ? {} : { state: 'FAILED' }),
      );
      await store.setAside(KEY, many);
      const page = async (after: number, state?: 'FAILED') =>
        (await store.deliveries('alpha', 'wh_1', { limit: 20, after, ...(state && { state }) })).map(({ seq }) => seq);
      expect(await page(-1)).toEqual(many.slice(0, 20).map(({ seq }) => seq));
      expect(await page(50)).toEqual([51, 52, 53, 54, 55, 56, 57, 58, 59]);
      expect(await page(39, 'FAILED')).toEqual([41, 43, 45, 47, 49, 51, 53, 55, 57, 59]);
    });

    it('takes the note of deliveries away only when none was added since', async () => {
      await store.setAside(KEY, [delivery(1)]);
      const noted = (await row())?.setAside ?? '';
      expect(noted).not.toBe('');
      await store.setAside(KEY, [delivery(2)]);
      await store.noneLeft(KEY, noted);
      expect((await row())?.setAside).toBeDefined();
      await store.noneLeft(KEY, (await row())?.setAside ?? '');
      expect(await row()).not.toHaveProperty('setAside');
    });

    it('removes an endpoint, or all of a session, with their deliveries', async () => {
      await store.declare('alpha', 'wh_2', 1, 0);
      await store.declare('beta', 'wh_1', 1, 0);
      await store.setAside(KEY, [delivery(1)]);
      await store.setAside({ session: 'alpha', endpointId: 'wh_2', addedAt: 1 }, [delivery(2)]);
      await store.remove('alpha', 'wh_1');
      expect(await seqs()).toEqual([]);
      expect((await store.list('alpha')).map(({ endpointId }) => endpointId)).toEqual(['wh_2']);
      await store.clear('alpha');
      expect(await seqs('wh_2')).toEqual([]);
      expect(await store.list('alpha')).toEqual([]);
      expect(await store.list('beta')).toHaveLength(1);
    });
  });
}
