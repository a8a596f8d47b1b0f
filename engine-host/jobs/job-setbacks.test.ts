import { expect, it } from 'vitest';
import { JobSetbacks } from './job-setbacks.ts';

it('counts by job and kind, until the job has ended', () => {
  const setbacks = new JobSetbacks();
  const job = { session: 'alpha', jobId: 'one' };
  expect(setbacks.note(job, 'retry')).toBe(1);
  expect(setbacks.note(job, 'retry')).toBe(2);
  expect(setbacks.note(job, 'fault')).toBe(1);
  expect(setbacks.note({ ...job, session: 'beta' }, 'retry')).toBe(1);
  setbacks.forget(job);
  expect(setbacks.note(job, 'retry')).toBe(1);
});

it('keeps only the jobs that were set back last', () => {
  const setbacks = new JobSetbacks();
  const first = { session: 'alpha', jobId: 'first' };
  setbacks.note(first, 'retry');
  for (let count = 0; count < 10_000; count += 1) {
    setbacks.note({ session: 'alpha', jobId: `job-${count}` }, 'exception');
    if (count === 1_000) setbacks.note(first, 'retry');
  }
  expect(setbacks.size).toBe(3_000);
  expect(setbacks.note({ session: 'alpha', jobId: 'job-9999' }, 'exception')).toBe(2);
  expect(setbacks.note(first, 'retry')).toBe(1);
});
