import { afterEach, describe, expect, it, vi } from 'vitest';
import { MemoryJobStore } from '#shared/adapters/memory/memory-job-store.ts';
import { MemoryShardQueue } from '#shared/adapters/memory/memory-shard-queue.ts';
import { commandSchema } from '#shared/contracts/commands.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import { createLogger, tag } from '#shared/observability/logger.ts';
import { LogLines } from '#test/support/log-lines.ts';
import { ManualLease } from '../host/manual-lease.ts';
import { jobRow } from '../sessions/row-fixtures.ts';
import type { Disposition } from './disposition.ts';
import { JobLanes } from './job-lanes.ts';
import { shardMessages } from './shard-poller.ts';
import { Slots } from './slots.ts';

const SHARD = 'socket-00';
const log = new LogLines();
const logger = createLogger({ name: 'test', destination: log });
const check = commandSchema.parse({ type: 'checkExists', phone: '4915112345678' });

function createLanes(run: (job: JobRow, tries: number, parked?: boolean) => Promise<Disposition>, size = 200) {
  const lease = new ManualLease(SHARD);
  const queue = new MemoryShardQueue();
  const jobs = new MemoryJobStore();
  const slots = new Slots(size);
  const lanes = new JobLanes({ lease, queue, jobs, executor: { run }, logger, onSettled: () => slots.release() });
  const stop = new AbortController();
  const poll = async () => {
    for await (const message of shardMessages({ lease, queue, slots, logger }, stop.signal)) {
      if (message.body.kind === 'job') lanes.take(message, message.body.session, message.body.jobId);
    }
  };
  const polling = poll();
  const create = async (jobId: string, changes: Partial<JobRow> = {}) => {
    const job = jobRow({ ...changes, jobId });
    await jobs.create(job);
    return job;
  };
  const add = async (jobId: string, changes: Partial<JobRow> = {}) => {
    const job = await create(jobId, changes);
    const lane = job.command.type === 'checkExists' ? 'control' : 'sends';
    await queue.send(SHARD, { kind: 'job', session: job.session, jobId }, lane, jobId);
  };
  /** As the reconciler does. */
  const tellEnded = (jobId: string) =>
    queue.send(SHARD, { kind: 'job', session: 'alpha', jobId, ended: true }, 'ended', `${jobId}:expired`);
  ends.push(async () => {
    stop.abort();
    lease.end();
    lanes.abort();
    await polling;
  });
  return { lease, queue, jobs, lanes, create, add, tellEnded, stop, polling };
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

/** Queue and rows are in memory: after a turn of the event loop all has happened that no timer holds back. */
const nextTurn = () => new Promise(setImmediate);

/** A run that ends when the test says so. */
function held() {
  const begun: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<Disposition>>();
  const gate = (jobId: string) => {
    const known = gates.get(jobId) ?? Promise.withResolvers<Disposition>();
    gates.set(jobId, known);
    return known;
  };
  const run = (job: JobRow) => {
    begun.push(job.jobId);
    return gate(job.jobId).promise;
  };
  return { begun, run, end: (jobId: string, how: Disposition = { kind: 'done' }) => gate(jobId).resolve(how) };
}

describe('JobLanes', () => {
  it('runs the sends of a session one after the other in order', async () => {
    const { begun, run, end } = held();
    const { add, queue, jobs } = createLanes(run);
    const read = vi.spyOn(jobs, 'get');
    // One wake-up of the poll must find all of them: the queue itself would hold back what comes later.
    await Promise.all(['a', 'b', 'c'].map((jobId) => add(jobId)));
    end('b');
    end('c');
    await vi.waitFor(() => expect(read.mock.calls.map(([, jobId]) => jobId)).toEqual(['a', 'b', 'c']));
    await nextTurn();
    expect(begun).toEqual(['a']);
    end('a');
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(0));
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('runs other sessions, and commands, beside a send that takes its time', async () => {
    const { begun, run, end } = held();
    const { add, queue } = createLanes(run);
    await add('slow');
    await add('other', { session: 'beta' });
    await add('command', { command: check });
    await vi.waitFor(() => expect([...begun].sort()).toEqual(['command', 'other', 'slow']));
    for (const jobId of begun) end(jobId);
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(0));
  });

  it('lets nothing overtake a send that has to wait', async () => {
    const order: string[] = [];
    let waits = 2;
    const { add, queue } = createLanes(async (job) => {
      order.push(job.jobId);
      if (job.jobId === 'a' && waits-- > 0) return { kind: 'postpone', seconds: 0 };
      return { kind: 'done' };
    });
    for (const jobId of ['a', 'b', 'c']) await add(jobId);
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(0));
    expect(order).toEqual(['a', 'a', 'a', 'b', 'c']);
  });

  it('lets others go on past a parked send, and parked ones in their own order', async () => {
    const order: string[] = [];
    let closed = true;
    const { add, queue } = createLanes(async (job, _tries, parked) => {
      order.push(`${job.jobId}${parked ? '*' : ''}`);
      if (!job.jobId.startsWith('cold')) return { kind: 'done' };
      if (!parked) return { kind: 'park' };
      return closed ? { kind: 'postpone', seconds: 1 } : { kind: 'done' };
    });
    for (const jobId of ['cold1', 'a', 'cold2', 'b']) await add(jobId);
    await vi.waitFor(() => expect(order).toContain('b'));
    closed = false;
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(0), { timeout: 10_000 });
    expect(order.filter((id) => !id.endsWith('*'))).toEqual(['cold1', 'a', 'cold2', 'b']);
    const parked = order.filter((id) => id.endsWith('*'));
    expect(parked.at(-1)).toBe('cold2*');
    expect(parked.indexOf('cold2*')).toBeGreaterThan(parked.lastIndexOf('cold1*'));
  });

  it('has what is only to be told of wait for no send', async () => {
    const { begun, run, end } = held();
    const { create, add, tellEnded, queue } = createLanes(run);
    for (const jobId of ['e1', 'e2']) await create(jobId, { state: 'EXPIRED' });
    // One wake-up of the poll must find all of them.
    await Promise.all([add('a'), tellEnded('e1'), tellEnded('e2')]);
    await vi.waitFor(() => expect([...begun].sort()).toEqual(['a', 'e1']));
    const postpone = vi.spyOn(queue, 'postpone');
    end('a', { kind: 'postpone', seconds: 43_000 });
    await vi.waitFor(() => expect(postpone).toHaveBeenCalledWith(SHARD, expect.anything(), 43_000));
    end('e1');
    end('e2');
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(1));
    expect(begun).toEqual(expect.arrayContaining(['e1', 'e2']));
    expect(postpone).toHaveBeenCalledTimes(1);
  });

  it('has no send wait for what cannot be told yet, and the rest of that together', async () => {
    const { begun, run, end } = held();
    const { create, add, tellEnded, queue } = createLanes(run);
    for (const jobId of ['e1', 'e2']) await create(jobId, { state: 'EXPIRED' });
    const postpone = vi.spyOn(queue, 'postpone');
    // One wake-up of the poll must find all of them.
    await Promise.all([tellEnded('e1'), tellEnded('e2'), add('a'), add('b')]);
    await vi.waitFor(() => expect([...begun].sort()).toEqual(['a', 'e1']));
    end('e1', { kind: 'postpone', seconds: 5 });
    await vi.waitFor(() => expect(postpone.mock.calls.map(([, , seconds]) => seconds)).toEqual([5, 5]));
    end('a');
    end('b');
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(2));
    expect(begun).toEqual(expect.arrayContaining(['a', 'b']));
    expect(begun).not.toContain('e2');
  });

  it('runs what is to be told of after its own try, when its row has not ended', async () => {
    const { begun, run, end } = held();
    const { add, tellEnded, queue } = createLanes(run);
    // One wake-up of the poll must find both.
    await Promise.all([add('a'), tellEnded('a')]);
    await vi.waitFor(() => expect(begun).toEqual(['a']));
    await nextTurn();
    expect(begun).toEqual(['a']);
    end('a');
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(0));
    expect(begun).toEqual(['a', 'a']);
  });

  it('tells of what ends while it stands behind a send that has to wait', async () => {
    const { begun, run, end } = held();
    const { add, create, tellEnded, jobs, queue } = createLanes(run);
    await create('late');
    const read = vi.spyOn(jobs, 'get');
    await add('a');
    await vi.waitFor(() => expect(begun).toEqual(['a']));
    await tellEnded('late');
    await vi.waitFor(() => expect(read).toHaveBeenLastCalledWith('alpha', 'late'));
    await nextTurn();
    await jobs.endEarly('alpha', 'late', { state: 'EXPIRED', error: { code: 'expired', message: 'late' } });
    end('late');
    end('a', { kind: 'postpone', seconds: 43_000 });
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(1));
    expect(begun).toEqual(['a', 'late']);
  });

  it('lets nothing overtake, also when the rows behind are slow to read', async () => {
    const order: string[] = [];
    let waits = 1;
    const { add, queue, jobs } = createLanes(async (job) => {
      order.push(job.jobId);
      return job.jobId === 'a' && waits-- > 0 ? { kind: 'postpone', seconds: 1 } : { kind: 'done' };
    });
    const get = jobs.get.bind(jobs);
    const gate = Promise.withResolvers<void>();
    vi.spyOn(jobs, 'get').mockImplementation(async (session, jobId) => {
      if (jobId !== 'a') await gate.promise;
      return get(session, jobId);
    });
    const postpone = vi.spyOn(queue, 'postpone');
    // One wake-up of the poll must find both.
    await Promise.all([add('a'), add('b')]);
    await vi.waitFor(() => expect(postpone).toHaveBeenCalledWith(SHARD, expect.anything(), 1));
    // So that nothing is left to do for the first.
    await nextTurn();
    gate.resolve();
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(0), { timeout: 10_000 });
    expect(order).toEqual(['a', 'a', 'b']);
  });

  it('takes waiting sends back at once when their session works', async () => {
    const order: string[] = [];
    let ready = false;
    const callbacks = new Set<() => void>();
    const session = {
      once: (callback: () => void) => {
        callbacks.add(callback);
        return () => callbacks.delete(callback);
      },
    };
    const { add, queue } = createLanes(async (job) => {
      order.push(job.jobId);
      return ready ? { kind: 'done' } : { kind: 'postpone', seconds: 3_600, until: session };
    });
    // One wake-up of the poll must find both.
    await Promise.all([add('a'), add('b')]);
    await vi.waitFor(() => expect(callbacks.size).toBe(2));
    ready = true;
    for (const callback of callbacks) callback();
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(0));
    expect(order).toEqual(['a', 'a', 'b']);
  });

  it('asks once to be called back for a message, however often it comes', async () => {
    let tries = 0;
    const callbacks = new Set<() => void>();
    const until = {
      once: (callback: () => void) => {
        callbacks.add(callback);
        return () => callbacks.delete(callback);
      },
    };
    const { add, queue } = createLanes(async () => {
      tries += 1;
      return { kind: 'postpone', seconds: tries < 20 ? 0.001 : 3_600, until };
    });
    const postpone = vi.spyOn(queue, 'postpone');
    await add('a');
    await vi.waitFor(() => expect(postpone).toHaveBeenLastCalledWith(SHARD, expect.anything(), 3_600));
    expect(tries).toBe(20);
    await vi.waitFor(() => expect(callbacks.size).toBe(1));
  });

  it('does not hide a message again that it has given back', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { begun, run, end } = held();
    const { add, queue } = createLanes(run);
    const told: number[] = [];
    const gate = Promise.withResolvers<void>();
    vi.spyOn(queue, 'postpone').mockImplementation(async (_shard, _receipt, seconds) => {
      if (seconds === 15) await gate.promise;
      told.push(seconds);
    });
    await add('a');
    await vi.waitFor(() => expect(begun).toEqual(['a']));
    vi.advanceTimersByTime(5_000);
    vi.useRealTimers();
    end('a', { kind: 'postpone', seconds: 0 });
    await nextTurn();
    gate.resolve();
    await vi.waitFor(() => expect(told).toEqual([15, 0]));
  });

  it('looks again at a job that stood behind another', async () => {
    const states: string[] = [];
    const { begun, run, end } = held();
    const { add, jobs, queue } = createLanes(async (job) => {
      states.push(job.state);
      return run(job);
    });
    await add('a');
    await add('b');
    await vi.waitFor(() => expect(begun).toEqual(['a']));
    await jobs.advance('alpha', 'b', 1, { state: 'CANCELLED' });
    end('a');
    end('b');
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(0));
    expect(states).toEqual(['QUEUED', 'CANCELLED']);
  });

  it('removes messages without a job, and buries poison', async () => {
    const { add, queue } = createLanes(async () => ({ kind: 'bury', reason: 'TypeError' }));
    await queue.send(SHARD, { kind: 'job', session: 'alpha', jobId: 'nothing' }, 'sends', 'nothing');
    await add('poison');
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(0));
    expect(queue.buried).toMatchObject([{ body: { jobId: 'poison' }, reason: 'TypeError' }]);
  });

  it('goes on after a run that threw', async () => {
    const { add, queue } = createLanes(async (job) => {
      if (job.jobId === 'a') throw new Error('a bug');
      return { kind: 'done' };
    });
    await add('a');
    await add('b', { session: 'beta' });
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(1));
    expect(log.parsed.at(-1)).toMatchObject({
      msg: 'a job could not be handled',
      session: tag('alpha'),
      jobId: 'a',
    });
  });

  it('has no more jobs under way than there are slots', async () => {
    const { begun, run, end } = held();
    const { add, queue } = createLanes(run, 2);
    for (const session of ['s1', 's2', 's3']) {
      await add(session, { session });
      await vi.waitFor(() => expect(begun.length).toBeGreaterThanOrEqual(Math.min(2, Number(session.slice(1)))));
    }
    await nextTurn();
    expect(begun).toEqual(['s1', 's2']);
    end('s1');
    await vi.waitFor(() => expect(begun).toEqual(['s1', 's2', 's3']));
    end('s2');
    end('s3');
    await vi.waitFor(() => expect(queue.size(SHARD)).toBe(0));
  });

  it('drains: waits for what runs, gives back what has not begun', async () => {
    const { begun, run, end } = held();
    const { add, queue, lanes, stop, polling } = createLanes(run);
    await add('a');
    await add('b');
    await vi.waitFor(() => expect(begun).toEqual(['a']));
    stop.abort();
    await polling;
    const drained = lanes.drain(5_000);
    end('a');
    expect(await drained).toBe(true);
    expect(begun).toEqual(['a']);
    const left = await queue.receive(SHARD, AbortSignal.timeout(5_000));
    expect(left.map(({ body }) => body)).toEqual([{ kind: 'job', session: 'alpha', jobId: 'b' }]);
  });

  it('gives back, in the end, what did not finish in time', async () => {
    const { begun, run } = held();
    const { add, queue, lanes, stop, polling } = createLanes(run);
    await add('a');
    await vi.waitFor(() => expect(begun).toEqual(['a']));
    stop.abort();
    await polling;
    expect(await lanes.drain(10)).toBe(false);
    await lanes.giveBack();
    expect(await queue.receive(SHARD, AbortSignal.timeout(5_000))).toHaveLength(1);
  });

  it('does not touch the queue without the lease', async () => {
    const { begun, run, end } = held();
    const { add, queue, lease, lanes } = createLanes(run);
    await add('a');
    await vi.waitFor(() => expect(begun).toEqual(['a']));
    const done = vi.spyOn(queue, 'done');
    lease.end();
    end('a');
    expect(await lanes.drain(5_000)).toBe(true);
    expect(done).not.toHaveBeenCalled();
  });
});
