import { beforeEach, describe, expect, it } from 'vitest';
import { JOB_STATES, type JobState } from '#shared/contracts/jobs.ts';
import { ConflictError, NotFoundError, NotOwnerError } from '#shared/domain/errors.ts';
import type { JobStore } from '#shared/ports/job-store.ts';
import { jobRow } from './rows.ts';

/** Every step a job may take; staying in an open state is one. */
const STEPS: Record<JobState, readonly JobState[]> = {
  QUEUED: ['QUEUED', 'PREPARED', 'SENT', 'DELIVERED', 'READ', 'PLAYED', 'DONE', 'FAILED', 'EXPIRED', 'CANCELLED'],
  PREPARED: ['PREPARED', 'SENT', 'DELIVERED', 'READ', 'PLAYED', 'DONE', 'FAILED', 'EXPIRED', 'CANCELLED'],
  SENT: ['DELIVERED', 'READ', 'PLAYED'],
  DELIVERED: ['READ', 'PLAYED'],
  READ: ['PLAYED'],
  PLAYED: [],
  DONE: [],
  FAILED: [],
  EXPIRED: [],
  CANCELLED: [],
};

/** What every job store does. @param factory gives an empty store */
export function defineJobStoreContract(name: string, factory: () => Promise<JobStore>): void {
  describe(`${name}: a job store`, () => {
    let store: JobStore;
    beforeEach(async () => {
      store = await factory();
    });

    it('gives back what was created, by session and id', async () => {
      const row = jobRow({ notBefore: 7, traceparent: '00-1-2-00' });
      await store.create(row);
      expect(await store.get('alpha', 'job-1')).toEqual(row);
      expect(await store.get('beta', 'job-1')).toBeUndefined();
    });

    it('creates a job once', async () => {
      await store.create(jobRow());
      await expect(store.create(jobRow({ createdAt: 2 }))).rejects.toBeInstanceOf(ConflictError);
      await store.create(jobRow({ session: 'beta' }));
    });

    it('freezes the content at the first prepare and counts every one', async () => {
      await store.create(jobRow());
      const first = await store.prepare('alpha', 'job-1', 3, { content: 'Zmlyc3Q=', wire: { edit: '1' } });
      expect(first).toMatchObject({
        state: 'PREPARED',
        content: 'Zmlyc3Q=',
        wire: { edit: '1' },
        attempts: 1,
        epoch: 3,
      });
      const second = await store.prepare('alpha', 'job-1', 4, { content: 'c2Vjb25k' });
      expect(second).toMatchObject({
        state: 'PREPARED',
        content: 'Zmlyc3Q=',
        wire: { edit: '1' },
        attempts: 2,
        epoch: 4,
      });
      expect(await store.get('alpha', 'job-1')).toEqual(second);
    });

    it('mixes no later attributes into frozen content', async () => {
      await store.create(jobRow());
      await store.prepare('alpha', 'job-1', 1, { content: 'YQ==' });
      const row = await store.prepare('alpha', 'job-1', 1, { content: 'Yg==', wire: { edit: '7' } });
      expect(row.content).toBe('YQ==');
      expect(row).not.toHaveProperty('wire');
    });

    it('prepares nothing that has ended, and nothing that is not there', async () => {
      await store.create(jobRow());
      await store.advance('alpha', 'job-1', 1, { state: 'CANCELLED' });
      const row = await store.prepare('alpha', 'job-1', 1, { content: 'YQ==' });
      expect(row).toMatchObject({ state: 'CANCELLED', attempts: 0 });
      expect(row).not.toHaveProperty('content');
      await expect(store.prepare('alpha', 'job-2', 1, { content: 'YQ==' })).rejects.toBeInstanceOf(NotFoundError);
      expect(await store.get('alpha', 'job-2')).toBeUndefined();
    });

    it('refuses a lower epoch', async () => {
      await store.create(jobRow());
      await store.prepare('alpha', 'job-1', 5, { content: 'YQ==' });
      await expect(store.prepare('alpha', 'job-1', 4, { content: 'Yg==' })).rejects.toBeInstanceOf(NotOwnerError);
      await expect(store.advance('alpha', 'job-1', 4, { state: 'SENT' })).rejects.toBeInstanceOf(NotOwnerError);
      expect(await store.get('alpha', 'job-1')).toMatchObject({ state: 'PREPARED', epoch: 5 });
    });

    it('keeps result, error and what made it poison', async () => {
      await store.create(jobRow());
      await store.create(jobRow({ jobId: 'job-2' }));
      await store.advance('alpha', 'job-1', 1, { state: 'DONE', result: { numberExists: true } });
      const failed = { state: 'FAILED', error: { code: 'engine-error', message: 'no' }, poison: 'TypeError' } as const;
      await store.advance('alpha', 'job-2', 1, failed);
      expect(await store.get('alpha', 'job-1')).toMatchObject({ state: 'DONE', result: { numberExists: true } });
      expect(await store.get('alpha', 'job-1')).not.toHaveProperty('poison');
      expect(await store.get('alpha', 'job-2')).toMatchObject(failed);
    });

    it('notes until when a job waits, as long as nothing is frozen', async () => {
      await store.create(jobRow());
      await store.defer('alpha', 'job-1', 2, { notBefore: 5_000, waitsFor: 'gap' });
      await store.defer('alpha', 'job-1', 2, { notBefore: 7_000, waitsFor: 'hour-cap' });
      const noted = { state: 'QUEUED', notBefore: 7_000, waitsFor: 'hour-cap', epoch: 2, attempts: 0 };
      expect(await store.get('alpha', 'job-1')).toMatchObject(noted);
      const late = { notBefore: 9_000, waitsFor: 'gap' };
      await expect(store.defer('alpha', 'job-1', 1, late)).rejects.toBeInstanceOf(NotOwnerError);
      await store.prepare('alpha', 'job-1', 2, { content: 'YQ==' });
      await store.defer('alpha', 'job-1', 2, late);
      await store.defer('alpha', 'job-9', 2, late);
      expect(await store.get('alpha', 'job-1')).toMatchObject({ state: 'PREPARED', notBefore: 7_000 });
      expect(await store.get('alpha', 'job-9')).toBeUndefined();
    });

    it('advances nothing that has vanished', async () => {
      await store.advance('alpha', 'job-9', 1, { state: 'SENT' });
      expect(await store.get('alpha', 'job-9')).toBeUndefined();
    });

    it.each(JOB_STATES)('ends a job early only while it is QUEUED, not %s, whatever its epoch', async (from) => {
      await store.create(jobRow({ state: from, epoch: 7, openShard: 'socket-00' }));
      const error = { code: 'cancelled', message: 'It was cancelled' };
      const row = await store.endEarly('alpha', 'job-1', { state: 'CANCELLED', error });
      const [state, epoch] = [from === 'QUEUED' ? 'CANCELLED' : from, 7];
      expect(row).toMatchObject({ state, epoch });
      expect(row).toEqual(await store.get('alpha', 'job-1'));
      expect(row?.error).toEqual(from === 'QUEUED' ? error : undefined);
      expect(await store.endEarly('alpha', 'job-9', { state: 'EXPIRED', error })).toBeUndefined();
      expect(await store.get('alpha', 'job-9')).toBeUndefined();
    });

    it('lets either an early end or the first prepare win', async () => {
      const error = { code: 'cancelled', message: 'It was cancelled' };
      for (let index = 0; index < 20; index += 1) {
        const jobId = `race-${index}`;
        await store.create(jobRow({ jobId, openShard: 'socket-00' }));
        const [prepared, ended] = await Promise.all([
          store.prepare('alpha', jobId, 3, { content: 'YQ==' }),
          store.endEarly('alpha', jobId, { state: 'CANCELLED', error }),
        ]);
        expect(['PREPARED', 'CANCELLED']).toContain(ended?.state);
        expect(prepared.state).toBe(ended?.state);
        expect(prepared.content).toBe(ended?.state === 'PREPARED' ? 'YQ==' : undefined);
      }
    });

    describe('open jobs', () => {
      const open = (jobId: string, createdAt: number, fields: Parameters<typeof jobRow>[0] = {}) =>
        store.create(jobRow({ jobId, createdAt, openShard: 'socket-00', ...fields }));
      const ids = async (shard = 'socket-00') => (await store.listOpen(shard)).map(({ jobId }) => jobId);

      it('are listed by session and age', async () => {
        await open('b2', 1_700_000_000_002, { session: 'beta' });
        await open('b1', 999, { session: 'beta' });
        await open('a2', 20);
        await open('a1', 3);
        await open('other', 1, { openShard: 'socket-01' });
        expect(await ids()).toEqual(['a1', 'a2', 'b1', 'b2']);
        expect(await ids('socket-01')).toEqual(['other']);
        expect(await ids('socket-02')).toEqual([]);
        const { messageId, createdAt, expiresAt } = jobRow();
        expect((await store.listOpen('socket-01'))[0]).toEqual({
          session: 'alpha',
          jobId: 'other',
          messageId,
          createdAt,
          expiresAt,
        });
      });

      it('are listed of one session', async () => {
        await open('a1', 3);
        await open('b1', 1, { session: 'alph' });
        await open('c1', 2, { session: 'alphabet' });
        const of = async (session: string) => (await store.listOpen('socket-00', session)).map(({ jobId }) => jobId);
        expect([await of('alpha'), await of('alph'), await of('beta')]).toEqual([['a1'], ['b1'], []]);
      });

      it('are open until they have ended, one way or another', async () => {
        for (const [index, id] of ['1', '2', '3', '4', '5'].entries()) await open(id, index);
        await store.prepare('alpha', '1', 1, { content: 'YQ==' });
        await store.advance('alpha', '2', 1, { state: 'PREPARED' });
        expect(await ids()).toEqual(['1', '2', '3', '4', '5']);
        await store.advance('alpha', '1', 1, { state: 'SENT' });
        await store.advance('alpha', '2', 1, { state: 'FAILED', error: { code: 'x', message: 'y' } });
        await store.endEarly('alpha', '3', { state: 'EXPIRED', error: { code: 'expired', message: 'late' } });
        await store.advance('alpha', '1', 1, { state: 'READ' });
        expect(await ids()).toEqual(['4', '5']);
        expect(await store.get('alpha', '3')).not.toHaveProperty('openShard');
      });

      describe('whose end is untold', () => {
        const end = { state: 'FAILED', error: { code: 'session-deleted', message: 'gone' } } as const;

        it.each(['QUEUED', 'PREPARED'] as const)('are listed until it is told, %s before', async (state) => {
          await open('1', 1, { state });
          const row = await store.endUntold('alpha', '1', 3, end);
          expect(row).toMatchObject({ ...end, epoch: 3, openShard: 'socket-00', updatedAt: expect.any(Number) });
          expect(await store.get('alpha', '1')).toEqual(row);
          expect(await ids()).toEqual(['1']);
          await store.noteTold('alpha', '1');
          expect(await ids()).toEqual([]);
          const { openShard: _openShard, ...told } = row ?? jobRow();
          expect(await store.get('alpha', '1')).toEqual(told);
          await store.noteTold('alpha', '1');
          expect(await store.get('alpha', '1')).toEqual(told);
        });

        it('end once', async () => {
          await open('1', 1);
          await open('2', 2);
          const first = await store.endUntold('alpha', '1', 3, end);
          const other = { state: 'FAILED', error: { code: 'other', message: 'later' } } as const;
          expect(await store.endUntold('alpha', '1', 4, other)).toEqual(first);
          await store.advance('alpha', '1', 4, { state: 'SENT' });
          expect(await store.get('alpha', '1')).toEqual(first);
          await store.advance('alpha', '2', 3, { state: 'SENT' });
          const sent = await store.endUntold('alpha', '2', 3, end);
          expect(sent).toMatchObject({ state: 'SENT' });
          expect(sent).not.toHaveProperty('openShard');
        });

        it('are the newest owner’s to end', async () => {
          await open('1', 1);
          await store.prepare('alpha', '1', 5, { content: 'YQ==' });
          await expect(store.endUntold('alpha', '1', 4, end)).rejects.toBeInstanceOf(NotOwnerError);
          await store.endUntold('alpha', '1', 6, end);
          await expect(store.endUntold('alpha', '1', 5, end)).rejects.toBeInstanceOf(NotOwnerError);
        });

        it('are no others', async () => {
          await open('1', 1);
          await store.noteTold('alpha', '1');
          expect(await ids()).toEqual(['1']);
          expect(await store.endUntold('alpha', 'nothing', 1, end)).toBeUndefined();
          await store.noteTold('alpha', 'nothing');
          expect(await store.get('alpha', 'nothing')).toBeUndefined();
        });
      });

      it('are counted by session, no further than asked', async () => {
        for (const [index, id] of ['1', '2', '3'].entries()) await open(id, index);
        await open('b', 1, { session: 'alph' });
        await open('c', 1, { session: 'alphabet' });
        expect(await store.countOpen('socket-00', 'alpha', 10)).toBe(3);
        expect(await store.countOpen('socket-00', 'alpha', 2)).toBe(2);
        expect(await store.countOpen('socket-01', 'alpha', 2)).toBe(0);
      });

      it('remember that they were woken', async () => {
        await open('1', 1);
        await store.noteWake('alpha', '1');
        await store.noteWake('alpha', '1');
        const [woken] = await store.listOpen('socket-00');
        expect(woken).toMatchObject({ wakes: 2, wokenAt: expect.any(Number) });
        await store.advance('alpha', '1', 1, { state: 'SENT' });
        await store.noteWake('alpha', '1');
        await store.noteWake('alpha', 'nothing');
        expect(await store.get('alpha', '1')).toMatchObject({ wakes: 2, state: 'SENT' });
        expect(await store.get('alpha', 'nothing')).toBeUndefined();
      });
    });

    it('lists the jobs of a session, the newest first', async () => {
      for (const [index, jobId] of ['1', '2', '3', '4'].entries()) {
        await store.create(jobRow({ jobId, createdAt: 10 + index }));
      }
      await store.create(jobRow({ jobId: '9', session: 'beta' }));
      await store.advance('alpha', '2', 1, { state: 'SENT', result: { timestamp: 1 } });
      const ids = async (query: Partial<Parameters<JobStore['list']>[1]>) =>
        (await store.list('alpha', { limit: 10, offset: 0, ...query })).map(({ jobId }) => jobId);
      expect(await ids({})).toEqual(['4', '3', '2', '1']);
      expect(await ids({ limit: 2, offset: 1 })).toEqual(['3', '2']);
      expect(await ids({ offset: 4 })).toEqual([]);
      expect(await ids({ state: 'SENT' })).toEqual(['2']);
      expect(await ids({ state: 'QUEUED', offset: 1, limit: 1 })).toEqual(['3']);
      const [row] = await store.list('alpha', { state: 'SENT', limit: 1, offset: 0 });
      expect(row).toEqual(await store.get('alpha', '2'));
    });

    it.each(JOB_STATES)('steps from %s only forward', async (from) => {
      for (const to of JOB_STATES) {
        const jobId = `${from}-${to}`;
        await store.create(jobRow({ jobId, state: from }));
        await store.advance('alpha', jobId, 1, { state: to });
        const expected = STEPS[from].includes(to) ? to : from;
        expect((await store.get('alpha', jobId))?.state, `${from} to ${to}`).toBe(expected);
      }
    });
  });
}
