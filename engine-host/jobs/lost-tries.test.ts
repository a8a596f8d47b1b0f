import PQueue from 'p-queue';
import { expect, it, vi } from 'vitest';
import { MemoryJobStore } from '#shared/adapters/memory/memory-job-store.ts';
import { commandSchema } from '#shared/contracts/commands.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import { NotOwnerError } from '#shared/domain/errors.ts';
import type { CommandOutcome } from '../engines/engine.ts';
import { ManualLease } from '../host/manual-lease.ts';
import { jobRow } from '../sessions/row-fixtures.ts';
import { LostTries } from './lost-tries.ts';

const SENT: CommandOutcome = { kind: 'sent', timestamp: 1 };
const command = commandSchema.parse({
  type: 'sendImage',
  chatId: '4915187654321@c.us',
  media: { kind: 'url', url: 'https://example.com/a.jpg' },
});
const fail = (error: unknown) => {
  throw error;
};

async function createTries(...rows: Partial<JobRow>[]) {
  const jobs = new MemoryJobStore();
  const suspects = new PQueue({ concurrency: 1 });
  const leases = [new ManualLease('socket-00', 3), new ManualLease('socket-01', 3)] as const;
  const shards = leases.map((lease) => new LostTries({ lease, jobs, suspects }));
  for (const row of rows) await jobs.create(jobRow({ command, ...row }));
  const read = async (jobId: string) => {
    const row = await jobs.get('alpha', jobId);
    if (row === undefined) throw new Error('the job is gone');
    return row;
  };
  const run = async (shard: 0 | 1, jobId: string, work: () => Promise<CommandOutcome>) =>
    shards[shard]?.during(await read(jobId), 3, work, fail);
  return { jobs, leases, read, run };
}

it('ends after four hosts that were lost', async () => {
  const jobs = new MemoryJobStore();
  await jobs.create(jobRow({ command }));
  const work = vi.fn(() => new Promise<CommandOutcome>(() => {}));
  for (let owner = 1; owner <= 6; owner += 1) {
    const lost = new LostTries({
      lease: new ManualLease('socket-00', owner),
      jobs,
      suspects: new PQueue({ concurrency: 1 }),
    });
    const row = await jobs.get('alpha', 'job-1');
    if (row === undefined || lost.isPoison(row)) break;
    void lost.during(row, owner, work, fail);
    await vi.waitFor(() => expect(work).toHaveBeenCalledTimes(owner));
  }
  expect(work).toHaveBeenCalledTimes(4);
});

it('tries suspects one at a time on a host, and notes only the one that is tried', async () => {
  const { read, run } = await createTries({ jobId: 'a', lostTries: 1 }, { jobId: 'b', lostTries: 1 });
  const first = Promise.withResolvers<CommandOutcome>();
  const begun: string[] = [];
  const tried = (jobId: string, outcome: Promise<CommandOutcome>) => () => {
    begun.push(jobId);
    return outcome;
  };
  const runs = [run(0, 'a', tried('a', first.promise)), run(1, 'b', tried('b', Promise.resolve(SENT)))];
  await vi.waitFor(() => expect(begun).toEqual(['a']));
  expect([(await read('a')).lostTries, (await read('b')).lostTries]).toEqual([2, 1]);
  first.resolve(SENT);
  expect(await Promise.all(runs)).toEqual([SENT, SENT]);
  expect(begun).toEqual(['a', 'b']);
});

it('does not let those wait that are no suspects', async () => {
  const { run } = await createTries({ jobId: 'a', lostTries: 1 }, { jobId: 'b' });
  const first = Promise.withResolvers<CommandOutcome>();
  const held = run(0, 'a', () => first.promise);
  expect(await run(0, 'b', async () => SENT)).toBe(SENT);
  first.resolve(SENT);
  await held;
});

it('takes nothing back for a host that does not own the shard any more', async () => {
  const { leases, read, run } = await createTries({ jobId: 'a' });
  const lost = run(0, 'a', async () => {
    leases[0].end();
    return { kind: 'retry', reason: 'not-owner', afterSeconds: 1 };
  });
  await expect(lost).rejects.toBeInstanceOf(NotOwnerError);
  expect((await read('a')).lostTries).toBe(1);
});
