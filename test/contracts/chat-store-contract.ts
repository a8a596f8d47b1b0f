import { beforeEach, describe, expect, it } from 'vitest';
import type { ChatQuery, ChatStore } from '#shared/ports/read-models.ts';

/** DynamoDB’s, which the local table does not know for indexes. */
export const MOST_KEY_BYTES = 1024;

const page = (query: Partial<ChatQuery> = {}): ChatQuery => ({
  limit: 100,
  offset: 0,
  sortBy: 'timestamp',
  sortOrder: 'desc',
  ...query,
});

/** What every chat store does. @param factory gives an empty store */
export function defineChatStoreContract(name: string, factory: () => Promise<ChatStore>): void {
  describe(`${name}: a chat store`, () => {
    let store: ChatStore;
    beforeEach(async () => {
      store = await factory();
    });

    const ids = async (query: Partial<ChatQuery>, session = 'alpha') =>
      (await store.query(session, page(query))).map((row) => row.chatId);
    const only = async () => (await store.query('alpha', page()))[0];
    const three = async () => {
      await store.touch('alpha', '10001@c.us', { id: 'AAAAA1', timestamp: 20, seq: 1 }, 'Zoe');
      await store.touch('alpha', '10002@c.us', { id: 'AAAAA2', timestamp: 30, seq: 1 });
      await store.touch('alpha', '10003@c.us', { id: 'AAAAA3', timestamp: 10, seq: 1 }, 'Ada');
    };

    it('moves to the latest message, whatever comes last', async () => {
      await store.touch('alpha', '10001@c.us', { id: 'AAAAA2', timestamp: 20, seq: 1 });
      await store.touch('alpha', '10001@c.us', { id: 'AAAAA1', timestamp: 10, seq: 1 });
      expect(await only()).toMatchObject({ chatId: '10001@c.us', lastMessageId: 'AAAAA2', timestamp: 20, name: null });
      await store.touch('alpha', '10001@c.us', { id: 'AAAAA3', timestamp: 30, seq: 1 });
      expect(await only()).toMatchObject({ lastMessageId: 'AAAAA3', timestamp: 30 });
    });

    it('has the name that came with the latest named message', async () => {
      await store.touch('alpha', '10001@c.us', { id: 'AAAAA4', timestamp: 40, seq: 1 });
      await store.touch('alpha', '10001@c.us', { id: 'AAAAA2', timestamp: 20, seq: 1 }, 'New');
      await store.touch('alpha', '10001@c.us', { id: 'AAAAA1', timestamp: 10, seq: 1 }, 'Old');
      expect(await only()).toMatchObject({ lastMessageId: 'AAAAA4', name: 'New' });
      await store.touch('alpha', '10001@c.us', { id: 'AAAAA5', timestamp: 50, seq: 1 });
      expect(await only()).toMatchObject({ lastMessageId: 'AAAAA5', name: 'New' });
    });

    it('has room for whatever somebody takes for a name and an id', async () => {
      await store.touch('alpha', '10001@c.us', { id: '漢'.repeat(5000), timestamp: 10, seq: 1 }, 'A'.repeat(500_000));
      const { name, position = '' } = (await only()) ?? {};
      expect(name).toMatch(/^A{500,2000}$/);
      expect(Buffer.byteLength(position)).toBeLessThan(MOST_KEY_BYTES);
    });

    it('sorts by time, id and name; chats without a name come last', async () => {
      await three();
      expect(await ids({})).toEqual(['10002@c.us', '10001@c.us', '10003@c.us']);
      expect(await ids({ sortOrder: 'asc' })).toEqual(['10003@c.us', '10001@c.us', '10002@c.us']);
      expect(await ids({ sortBy: 'id', sortOrder: 'asc' })).toEqual(['10001@c.us', '10002@c.us', '10003@c.us']);
      expect(await ids({ sortBy: 'name', sortOrder: 'asc' })).toEqual(['10003@c.us', '10001@c.us', '10002@c.us']);
      expect(await ids({ sortBy: 'name', sortOrder: 'desc' })).toEqual(['10001@c.us', '10003@c.us', '10002@c.us']);
    });

    it('pages, and picks by id', async () => {
      await three();
      expect(await ids({ limit: 1, offset: 1 })).toEqual(['10001@c.us']);
      expect(await ids({ limit: 2, offset: 5 })).toEqual([]);
      expect(await ids({ sortBy: 'id', sortOrder: 'desc', limit: 1, offset: 2 })).toEqual(['10001@c.us']);
      expect(await ids({ ids: ['10003@c.us', '10002@c.us', '19999@c.us', '10003@c.us'] })).toEqual([
        '10002@c.us',
        '10003@c.us',
      ]);
      expect(await ids({ ids: [] })).toEqual([]);
    });

    it('keeps sessions apart and clears one', async () => {
      await three();
      await store.touch('beta', '10001@c.us', { id: 'AAAAA1', timestamp: 1, seq: 1 });
      await store.clear('alpha');
      expect(await ids({})).toEqual([]);
      expect(await ids({}, 'beta')).toEqual(['10001@c.us']);
    });
  });
}
