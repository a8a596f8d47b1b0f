import { beforeEach, describe, expect, it } from 'vitest';
import { NotOwnerError } from '#shared/domain/errors.ts';
import type { OwnershipStore } from '#shared/ports/ownership-store.ts';
import { hostRow } from './rows.ts';

/** What every ownership store does. @param factory gives an empty store */
export function defineOwnershipStoreContract(name: string, factory: () => Promise<OwnershipStore>): void {
  describe(`${name}: an ownership store`, () => {
    let store: OwnershipStore;
    beforeEach(async () => {
      store = await factory();
    });

    const host = async () => (await store.hosts()).find(({ hostId }) => hostId === 'host-1');
    const freeShard = async () => {
      await store.ensureShards(['socket-00']);
      const seen = await store.shard('socket-00');
      if (seen === undefined) throw new Error('The shard is missing.');
      return seen;
    };

    it('moves a host on with its heartbeats', async () => {
      await store.register(hostRow(), undefined);
      await store.heartbeat('host-1', 'boot-1', 2, 7, 'DRAINING');
      expect(await host()).toMatchObject({ rvn: 2, sessions: 7, state: 'DRAINING', incarnation: 'boot-1' });
    });

    it('does not take a late heartbeat for a loss, nor back', async () => {
      await store.register(hostRow(), undefined);
      await store.heartbeat('host-1', 'boot-1', 5, 1, 'ACTIVE');
      await store.heartbeat('host-1', 'boot-1', 4, 9, 'ACTIVE');
      expect(await host()).toMatchObject({ rvn: 5, sessions: 1 });
    });

    it('tells a host that was replaced, declared dead, or never registered', async () => {
      await store.register(hostRow(), undefined);
      await store.register(hostRow({ incarnation: 'boot-2' }), 'boot-1');
      await expect(store.heartbeat('host-1', 'boot-1', 2, 0, 'ACTIVE')).rejects.toBeInstanceOf(NotOwnerError);
      expect(await store.declareDead('host-1', 'boot-2', 1)).toBe(true);
      await expect(store.heartbeat('host-1', 'boot-2', 2, 0, 'ACTIVE')).rejects.toBeInstanceOf(NotOwnerError);
      await expect(store.heartbeat('host-9', 'boot-1', 2, 0, 'ACTIVE')).rejects.toBeInstanceOf(NotOwnerError);
      expect(await host()).toMatchObject({ state: 'DEAD', rvn: 1 });
    });

    it('lets a registration replace only the incarnation that it saw', async () => {
      expect(await store.register(hostRow(), undefined)).toBe(true);
      expect(await store.register(hostRow({ incarnation: 'boot-3' }), 'boot-1')).toBe(true);
      expect(await store.register(hostRow({ incarnation: 'boot-2' }), 'boot-1')).toBe(false);
      expect(await store.register(hostRow({ incarnation: 'boot-2' }), undefined)).toBe(false);
      expect(await store.hosts()).toMatchObject([{ incarnation: 'boot-3' }]);
    });

    it('takes a registration that comes twice for one, and does not set the host back', async () => {
      await store.register(hostRow(), undefined);
      await store.heartbeat('host-1', 'boot-1', 5, 1, 'DRAINING');
      expect(await store.register(hostRow(), undefined)).toBe(true);
      expect(await host()).toMatchObject({ rvn: 5, state: 'DRAINING' });
    });

    it('declares nobody dead who has moved', async () => {
      await store.register(hostRow(), undefined);
      await store.heartbeat('host-1', 'boot-1', 2, 0, 'ACTIVE');
      expect(await store.declareDead('host-1', 'boot-1', 1)).toBe(false);
      expect(await store.declareDead('host-1', 'boot-0', 2)).toBe(false);
      expect(await store.declareDead('host-9', 'boot-1', 1)).toBe(false);
      expect(await host()).toMatchObject({ state: 'ACTIVE' });
    });

    it('deregisters its own incarnation only', async () => {
      await store.register(hostRow(), undefined);
      await store.deregister('host-1', 'boot-0');
      expect(await host()).toBeDefined();
      await store.deregister('host-1', 'boot-1');
      expect(await store.hosts()).toEqual([]);
    });

    it('makes shards once and keeps what they are', async () => {
      const mine = await store.acquire(await freeShard(), 'host-1', 'boot-1');
      await store.ensureShards(['socket-01', 'socket-00']);
      expect(await store.shards()).toEqual([
        mine,
        { shard: 'socket-01', epoch: 0, owner: null, ownerIncarnation: null },
      ]);
      expect(await store.shard('socket-02')).toBeUndefined();
    });

    it('gives a shard to one of many, one epoch higher', async () => {
      const seen = await freeShard();
      const racers = ['a', 'b', 'c', 'd', 'e'];
      const rows = await Promise.all(racers.map((racer) => store.acquire(seen, `host-${racer}`, `boot-${racer}`)));
      const won = rows.filter((row) => row !== undefined);
      expect(won).toHaveLength(1);
      expect(won[0]).toMatchObject({ epoch: seen.epoch + 1 });
      expect(await store.shard('socket-00')).toEqual(won[0]);
    });

    it('takes a shard over from an owner, but not by an outdated look', async () => {
      const seen = await freeShard();
      const first = await store.acquire(seen, 'host-1', 'boot-1');
      if (first === undefined) throw new Error('The free shard was refused.');
      expect(await store.acquire(seen, 'host-2', 'boot-2')).toBeUndefined();
      expect(await store.acquire(first, 'host-2', 'boot-2')).toMatchObject({ epoch: 2, owner: 'host-2' });
    });

    it('does not mistake a shard that was freed again for the free one it saw', async () => {
      const seen = await freeShard();
      await store.acquire(seen, 'host-1', 'boot-1');
      await store.release('socket-00', 'boot-1', 1);
      expect(await store.acquire(seen, 'host-2', 'boot-2')).toBeUndefined();
      expect(await store.shard('socket-00')).toMatchObject({ epoch: 1, owner: null });
    });

    it('frees a shard only for its owner', async () => {
      await store.acquire(await freeShard(), 'host-1', 'boot-1');
      await store.release('socket-00', 'boot-2', 1);
      await store.release('socket-00', 'boot-1', 0);
      expect(await store.shard('socket-00')).toMatchObject({ owner: 'host-1' });
      await store.release('socket-00', 'boot-1', 1);
      expect(await store.shard('socket-00')).toMatchObject({ epoch: 1, owner: null, ownerIncarnation: null });
    });
  });
}
