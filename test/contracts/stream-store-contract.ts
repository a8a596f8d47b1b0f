import { beforeEach, describe, expect, it } from 'vitest';
import type { StreamRow } from '#shared/contracts/rows.ts';
import type { StreamStore } from '#shared/ports/event-stream.ts';

export function streamRow(fields: Partial<StreamRow> = {}): StreamRow {
  return {
    connectionId: 'c1',
    endpoint: 'https://streams.example.com/ws',
    keyHash: 'hash',
    keyId: 'key_id_1',
    sessions: ['alpha'],
    events: ['*'],
    openedAt: 1_000,
    heartbeatAt: 31_000,
    ...fields,
  };
}

/** What every store of streams does. @param factory gives an empty store */
export function defineStreamStoreContract(name: string, factory: () => Promise<StreamStore>): void {
  describe(`${name}: a store of streams`, () => {
    let store: StreamStore;
    beforeEach(async () => {
      store = await factory();
    });

    it('gives back a stream and its cursors', async () => {
      const stream = streamRow({ since: ['evt_1', 'evt_2'], sessions: ['alpha', 'beta'] });
      await store.open(stream, new Map([['alpha', 7]]));
      expect(await store.get('c1')).toEqual(stream);
      expect(await store.get('c2')).toBeUndefined();
      expect(await store.cursor('c1', 'alpha')).toBe(7);
      expect(await store.cursor('c1', 'beta')).toBeUndefined();
      await store.moveCursor('c1', 'alpha', 9);
      await store.moveCursor('c1', 'beta', 3);
      expect(await store.cursor('c1', 'alpha')).toBe(9);
      expect(await store.cursor('c1', 'beta')).toBe(3);
    });

    it('names who reads a session', async () => {
      await store.open(streamRow(), new Map());
      await store.open(streamRow({ connectionId: 'c2', sessions: ['beta', 'alpha'] }), new Map());
      await store.open(streamRow({ connectionId: 'c3', sessions: ['*'] }), new Map());
      expect([...(await store.readersOf('alpha'))].sort()).toEqual(['c1', 'c2', 'c3']);
      expect([...(await store.readersOf('beta'))].sort()).toEqual(['c2', 'c3']);
      expect(await store.readersOf('gamma')).toEqual(['c3']);
    });

    it('changes what a stream is about, and only while it is there', async () => {
      await store.open(streamRow({ since: ['evt_1'] }), new Map());
      const slow = { since: 5_000, sessions: ['alpha'] };
      await store.update('c1', { slow });
      expect(await store.get('c1')).toEqual(streamRow({ since: ['evt_1'], slow }));
      const found = [{ id: 'evt_1', session: 'alpha', seq: 7, loggedAt: 1_000 }];
      const open = [{ session: 'beta', from: { place: '000', newest: 2_000 } }, { session: 'gamma' }];
      for (const start of [
        { step: 'search' as const, open, found },
        { step: 'cursors' as const, after: 'alpha', found, from: 940 },
        { step: 'turns' as const },
      ]) {
        await store.update('c1', { start });
        expect(await store.get('c1')).toEqual(streamRow({ since: ['evt_1'], slow, start }));
      }
      const had = ['evt_1'];
      await store.update('c1', { since: null, had, start: null, slow: null });
      await store.update('c1', { heartbeatAt: 61_000 });
      expect(await store.get('c1')).toEqual(streamRow({ had, heartbeatAt: 61_000 }));
      await store.remove('c1');
      await store.update('c1', { heartbeatAt: 91_000 });
      expect(await store.get('c1')).toBeUndefined();
    });

    it('forgets a stream', async () => {
      await store.open(streamRow({ sessions: ['alpha', 'beta'] }), new Map([['alpha', 1]]));
      await store.open(streamRow({ connectionId: 'c2' }), new Map([['alpha', 2]]));
      await store.remove('c1');
      await store.remove('c1');
      expect(await store.readersOf('alpha')).toEqual(['c2']);
      expect(await store.readersOf('beta')).toEqual([]);
      expect(await store.cursor('c1', 'alpha')).toBeUndefined();
      expect(await store.cursor('c2', 'alpha')).toBe(2);
    });
  });
}
