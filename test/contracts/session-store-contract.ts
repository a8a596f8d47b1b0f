import { beforeEach, describe, expect, it } from 'vitest';
import { ConflictError, NotFoundError, NotOwnerError } from '#shared/domain/errors.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';
import { sessionRow } from './rows.ts';

/** What every session store does. @param factory gives an empty store */
export function defineSessionStoreContract(name: string, factory: () => Promise<SessionStore>): void {
  describe(`${name}: a session store`, () => {
    let store: SessionStore;
    beforeEach(async () => {
      store = await factory();
    });

    it('gives back what was created, and knows no other', async () => {
      const row = sessionRow({ statusReason: 'qr-expired', config: { metadata: { team: 'a' } } });
      await store.create(row);
      expect(await store.get('alpha')).toEqual(row);
      expect(await store.get('beta')).toBeUndefined();
    });

    it('creates a name once, also when two race', async () => {
      const outcomes = await Promise.allSettled([
        store.create(sessionRow({ incarnation: 'a' })),
        store.create(sessionRow({ incarnation: 'b' })),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await expect(store.create(sessionRow())).rejects.toBeInstanceOf(ConflictError);
    });

    it('lists all, and those of a shard', async () => {
      await store.create(sessionRow({ name: 'a', shard: 'socket-00' }));
      await store.create(sessionRow({ name: 'b', shard: 'socket-01' }));
      await store.create(sessionRow({ name: 'c', shard: 'socket-00' }));
      expect((await store.list()).map((row) => row.name).sort()).toEqual(['a', 'b', 'c']);
      expect((await store.listByShard('socket-00')).map((row) => row.name).sort()).toEqual(['a', 'c']);
      expect(await store.listByShard('socket-07')).toEqual([]);
      expect([await store.countByShard('socket-00'), await store.countByShard('socket-07')]).toEqual([2, 0]);
    });

    it('changes what is wanted and answers with the new row', async () => {
      await store.create(sessionRow());
      const row = await store.intend('alpha', 'inc-1', {
        desired: 'STOPPED',
        restartToken: 't1',
        config: { debug: true },
      });
      expect(row).toMatchObject({
        desired: 'STOPPED',
        restartToken: 't1',
        config: { debug: true },
        status: 'STARTING',
      });
      expect(row.updatedAt).toBeGreaterThan(1);
      expect(await store.get('alpha')).toEqual(row);
    });

    it('changes nothing of a session that is gone or another one', async () => {
      await store.create(sessionRow());
      await expect(store.intend('beta', 'inc-1', { desired: 'STOPPED' })).rejects.toBeInstanceOf(NotFoundError);
      await expect(store.intend('alpha', 'inc-0', { desired: 'STOPPED' })).rejects.toBeInstanceOf(NotFoundError);
      expect(await store.get('beta')).toBeUndefined();
      expect(await store.get('alpha')).toEqual(sessionRow());
    });

    it('takes reports field by field and keeps what is wanted', async () => {
      await store.create(sessionRow({ desired: 'STOPPED' }));
      const me = { id: '4915109999999@c.us', pushName: null, lid: null, jid: null };
      const checkpoint = { key: 'k', lsn: 3, epoch: 2 };
      await store.report('alpha', 'inc-1', 2, { status: 'WORKING', me, hostId: 'host-1', checkpoint });
      await store.report('alpha', 'inc-1', 2, { qr: { value: 'x', expiresAt: 5 }, statusReason: 'conflict' });
      expect(await store.get('alpha')).toMatchObject({
        desired: 'STOPPED',
        status: 'WORKING',
        me,
        hostId: 'host-1',
        checkpoint,
        epoch: 2,
        qr: { value: 'x', expiresAt: 5 },
        statusReason: 'conflict',
      });
    });

    it('takes null as a value, and drops the reason for it', async () => {
      await store.create(
        sessionRow({ statusReason: 'conflict', hostId: 'h', checkpoint: { key: 'k', lsn: 1, epoch: 1 } }),
      );
      await store.report('alpha', 'inc-1', 1, { statusReason: null, hostId: null, checkpoint: null, qr: null });
      const row = await store.get('alpha');
      expect(row).toMatchObject({ hostId: null, checkpoint: null, qr: null });
      expect(row).not.toHaveProperty('statusReason');
    });

    it('lets the position of the checkpoint only rise', async () => {
      await store.create(sessionRow());
      const pointTo = (lsn: number) =>
        store.report('alpha', 'inc-1', 2, { checkpoint: { key: `k${lsn}`, lsn, epoch: 2 } });
      await pointTo(3);
      await pointTo(7);
      await pointTo(7);
      await expect(pointTo(6)).rejects.toBeInstanceOf(NotOwnerError);
      expect(await store.get('alpha')).toMatchObject({ checkpoint: { key: 'k7', lsn: 7 } });
    });

    it('refuses reports of a lower epoch, of another incarnation, and of no session', async () => {
      await store.create(sessionRow());
      await store.report('alpha', 'inc-1', 5, { status: 'WORKING' });
      await expect(store.report('alpha', 'inc-1', 4, { status: 'FAILED' })).rejects.toBeInstanceOf(NotOwnerError);
      await expect(store.report('alpha', 'inc-2', 9, { status: 'FAILED' })).rejects.toBeInstanceOf(NotOwnerError);
      await expect(store.report('beta', 'inc-1', 9, { status: 'FAILED' })).rejects.toBeInstanceOf(NotOwnerError);
      expect(await store.get('alpha')).toMatchObject({ status: 'WORKING', epoch: 5 });
      expect(await store.get('beta')).toBeUndefined();
    });

    it('removes only for the owner', async () => {
      await store.create(sessionRow({ epoch: 3 }));
      await expect(store.remove('alpha', 'inc-1', 2)).rejects.toBeInstanceOf(NotOwnerError);
      await expect(store.remove('alpha', 'inc-0', 3)).rejects.toBeInstanceOf(NotOwnerError);
      await store.remove('alpha', 'inc-1', 3);
      expect(await store.get('alpha')).toBeUndefined();
      await expect(store.remove('alpha', 'inc-1', 3)).rejects.toBeInstanceOf(NotOwnerError);
    });
  });
}
