import { beforeEach, describe, expect, it } from 'vitest';
import { JOB_STATES, type JobState } from '#shared/contracts/jobs.ts';
import { ConflictError, NotFoundError, NotOwnerError } from '#shared/domain/errors.ts';
import type { JobStore } from '#shared/ports/job-store.ts';
import { jobRow } from './rows.ts';

/** Every step a job may take; staying in an open state is one. */
const STEPS: Record<JobState, readonly JobState[]> = {
  QUEUED: [
    'QUEUED',
    'PREPARED',
    'ON_WIRE',
    'SENT',
    'DELIVERED',
    'READ',
    'PLAYED',
    'DONE',
    'FAILED',
    'EXPIRED',
    'CANCELLED',
  ],
  PREPARED: ['PREPARED', 'ON_WIRE', 'SENT', 'DELIVERED', 'READ', 'PLAYED', 'DONE', 'FAILED', 'EXPIRED', 'CANCELLED'],
  ON_WIRE: ['ON_WIRE', 'SENT', 'DELIVERED', 'READ', 'PLAYED', 'DONE', 'FAILED', 'EXPIRED', 'CANCELLED'],
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
      await store.advance('alpha', 'job-1', 3, { state: 'ON_WIRE' });
      const second = await store.prepare('alpha', 'job-1', 4, { content: 'c2Vjb25k' });
      expect(second).toMatchObject({
        state: 'ON_WIRE',
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

    it('keeps result and error', async () => {
      await store.create(jobRow());
      await store.create(jobRow({ jobId: 'job-2' }));
      await store.advance('alpha', 'job-1', 1, { state: 'DONE', result: { numberExists: true } });
      await store.advance('alpha', 'job-2', 1, { state: 'FAILED', error: { code: 'nack-463', message: 'no' } });
      expect(await store.get('alpha', 'job-1')).toMatchObject({ state: 'DONE', result: { numberExists: true } });
      expect(await store.get('alpha', 'job-2')).toMatchObject({ error: { code: 'nack-463', message: 'no' } });
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
