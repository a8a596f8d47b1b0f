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
      (await store.deliveries({ ...KEY, endpointId }, { limit: 100, after: -1 })).map(({ seq }) => seq);
    const retrying = async () => await store.deliveries(KEY, { state: 'RETRYING', limit: 100, after: -1 });

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
      const disabled = { at: 40, reason: 'gone', enabling: undefined } as const;
      await store.advance(KEY, { failures: 9, nextTryAt: 50, disabled });
      expect(await row()).toMatchObject({ disabledAt: 40, disabledReason: 'gone' });
      await store.enable('alpha', 'wh_1');
      const enabling = (await row())?.enabling;
      expect(enabling).toBeDefined();
      expect(await row()).toEqual({ ...KEY, cursor: 7, failures: 0, delivered: 0, failed: 0, enabling });
      await store.enable('alpha', 'wh_2');
      expect(await store.get('alpha', 'wh_2')).toBeUndefined();
    });

    it('does not disable what was enabled since, and takes the rest', async () => {
      const disable = (cursor: number, enabling: string | undefined) =>
        store.advance(KEY, { cursor, disabled: { at: 40, reason: 'gone', enabling } });
      await store.enable('alpha', 'wh_1');
      expect(await disable(8, undefined)).toMatchObject({ cursor: 8 });
      const read = (await row())?.enabling;
      await store.enable('alpha', 'wh_1');
      expect(await disable(9, read)).toMatchObject({ cursor: 9 });
      expect(await row()).not.toHaveProperty('disabledAt');
      expect(await disable(10, (await row())?.enabling)).toMatchObject({ cursor: 10, disabledAt: 40 });
    });

    it('keeps deliveries by place, the later writing of the same', async () => {
      expect(await store.setAside(KEY, [delivery(12), delivery(3), delivery(9, { state: 'FAILED' })])).toBe(true);
      await store.setAside(KEY, [delivery(12, { attempts: 2, chatId: '1@c.us' })]);
      expect(await seqs()).toEqual([3, 9, 12]);
      expect(await retrying()).toEqual([
        { ...delivery(3), endpoint: 'alpha#wh_1#5' },
        { ...delivery(12, { attempts: 2, chatId: '1@c.us' }), endpoint: 'alpha#wh_1#5' },
      ]);
      await store.settle(KEY, 3);
      await store.settle(KEY, 3);
      expect(await seqs()).toEqual([9, 12]);
    });

    it('has only those that wait for another try among the retrying, however often they change', async () => {
      const waiting = async () => (await retrying()).map(({ seq }) => seq);
      await store.setAside(KEY, [delivery(3), delivery(4, { state: 'FAILED' }), delivery(10)]);
      expect(await waiting()).toEqual([3, 10]);
      await store.setAside(KEY, [delivery(3, { state: 'FAILED' }), delivery(4)]);
      expect(await waiting()).toEqual([4, 10]);
      await store.settle(KEY, 4);
      expect(await waiting()).toEqual([10]);
    });

    it('has those that are due in the order of their times, however often they change', async () => {
      const due = async (now: number, limit = 10) => (await store.due(KEY, now, limit)).map(({ seq }) => seq);
      await store.setAside(KEY, [
        delivery(1, { dueAt: 30 }),
        delivery(2, { dueAt: 20 }),
        delivery(3, { dueAt: 31 }),
        delivery(4, { dueAt: 1, state: 'FAILED' }),
      ]);
      expect(await due(19)).toEqual([]);
      expect(await due(30)).toEqual([2, 1]);
      expect(await due(31, 2)).toEqual([2, 1]);
      await store.setAside(KEY, [delivery(1, { dueAt: 30, state: 'FAILED' }), delivery(2, { dueAt: 40 })]);
      expect(await due(40)).toEqual([3, 2]);
      await store.settle(KEY, 3);
      expect(await due(40)).toEqual([2]);
    });

    it('has nothing of an earlier making, whenever that was written', async () => {
      await store.setAside(KEY, [delivery(1)]);
      await store.remove(KEY);
      expect(await store.setAside(KEY, [delivery(2)])).toBe(false);
      await store.declare('alpha', 'wh_1', 6, 7);
      expect(await store.setAside(KEY, [delivery(3)])).toBe(false);
      const later = { ...KEY, addedAt: 6 };
      expect(await store.due(later, 100, 10)).toEqual([]);
      expect(await store.deliveries(later, { limit: 10, after: -1 })).toEqual([]);
      await store.setAside(later, [delivery(4)]);
      await store.settle(KEY, 4);
      expect((await store.due(later, 100, 10)).map(({ seq }) => seq)).toEqual([4]);
    });

    it('pages deliveries, all or those of a state', async () => {
      const many = Array.from({ length: 60 }, (_, index) =>
        delivery(index, index % 2 === 0 ? {} : { state: 'FAILED' }),
      );
      await store.setAside(KEY, many);
      const page = async (after: number, state?: 'FAILED') =>
        (await store.deliveries(KEY, { limit: 20, after, ...(state && { state }) })).map(({ seq }) => seq);
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
      await store.declare('alpha', 'wh_2', 5, 0);
      await store.declare('beta', 'wh_1', 1, 0);
      await store.setAside(KEY, [delivery(1)]);
      await store.setAside({ session: 'alpha', endpointId: 'wh_2', addedAt: 5 }, [delivery(2)]);
      await store.remove(KEY);
      expect(await seqs()).toEqual([]);
      expect((await store.list('alpha')).map(({ endpointId }) => endpointId)).toEqual(['wh_2']);
      await store.clear('alpha');
      expect(await seqs('wh_2')).toEqual([]);
      expect(await store.list('alpha')).toEqual([]);
      expect(await store.list('beta')).toHaveLength(1);
    });
  });
}
