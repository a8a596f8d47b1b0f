import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryJobStore } from '#shared/adapters/memory/memory-job-store.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import { MemoryShardQueue } from '#shared/adapters/memory/memory-shard-queue.ts';
import { chatIdSchema } from '#shared/contracts/commands.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { createReconciler, type Reconciled } from './reconciler.ts';

const SHARD = 'socket-00';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let now: number;
let jobs: MemoryJobStore;
let sessions: MemorySessionStore;
let queue: MemoryShardQueue;
let reconcile: (shard: string, mayGoOn?: () => boolean) => Promise<Reconciled>;

beforeEach(async () => {
  now = 1_000 * DAY;
  const clock = { now: () => now, monotonic: () => now };
  jobs = new MemoryJobStore(clock);
  sessions = new MemorySessionStore(clock);
  queue = new MemoryShardQueue({ clock, pollSeconds: 0 });
  const policy = { afterMs: 2 * MINUTE, againMs: 10 * MINUTE, headLength: 3 };
  const reconciler = createReconciler({ jobs, sessions, queue, clock, policy });
  reconcile = (shard, mayGoOn = () => true) => reconciler(shard, mayGoOn);
  await session('main', 'WORKING');
});

async function session(name: string, status: SessionRow['status']): Promise<void> {
  await sessions.create({
    name,
    incarnation: 'inc',
    engine: 'NOWEB',
    pool: 'socket',
    shard: SHARD,
    config: {},
    desired: 'RUNNING',
    createdAt: 1,
    updatedAt: 1,
    status,
    statuses: [],
    me: null,
    qr: null,
    activityAt: null,
    hostId: null,
    epoch: 0,
    checkpoint: null,
  });
}

async function accept(jobId: string, fields: Partial<JobRow> = {}): Promise<void> {
  const isCommand = fields.command !== undefined;
  await jobs.create({
    session: 'main',
    jobId,
    command: { type: 'sendText', chatId: chatIdSchema.parse('4915100000001@c.us'), text: 'hi' },
    incarnation: 'inc',
    state: 'QUEUED',
    ...(!isCommand && { messageId: `3EB0${jobId}` }),
    attempts: 0,
    createdAt: now,
    updatedAt: now,
    expiresAt: now + DAY,
    openShard: SHARD,
    ttl: 4_000_000_000,
    ...fields,
  });
  now += 1;
}

/** Takes all that is on the queue. */
async function messages(): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const received = await queue.receive(SHARD, new AbortController().signal);
    if (received.length === 0) return ids;
    for (const { body, receipt } of received) {
      if (body.kind === 'job') ids.push(body.jobId);
      await queue.done(SHARD, receipt);
    }
  }
}

describe('a send without a message', () => {
  it('gets another one when it has been quiet for long enough, the oldest first', async () => {
    await accept('job_1');
    await accept('job_2');
    expect(await reconcile(SHARD)).toEqual({ open: 2, oldestMs: 2, woken: 0, expired: 0 });
    now += 2 * MINUTE;
    expect(await reconcile(SHARD)).toEqual({ open: 2, oldestMs: 2 * MINUTE + 2, woken: 2, expired: 0 });
    expect(await messages()).toEqual(['job_1', 'job_2']);
    expect(await jobs.get('main', 'job_1')).toMatchObject({ state: 'QUEUED', wakes: 1, wokenAt: now });
  });

  it('gets it also when the first was sent so lately that the queue would take another for the same', async () => {
    await accept('job_1');
    await queue.send(SHARD, { kind: 'job', session: 'main', jobId: 'job_1' }, 'sends', 'job_1');
    expect(await messages()).toEqual(['job_1']);
    now += 2 * MINUTE;
    await reconcile(SHARD);
    expect(await messages()).toEqual(['job_1']);
  });

  it('is left alone for longer and longer', async () => {
    await accept('job_1');
    const wokenAt: number[] = [];
    const began = now;
    for (; now - began < 60 * MINUTE; now += MINUTE) {
      if ((await reconcile(SHARD)).woken > 0) wokenAt.push(Math.round((now - began) / MINUTE));
    }
    expect(wokenAt).toEqual([2, 12, 32]);
    expect(await messages()).toEqual(['job_1', 'job_1', 'job_1']);
  });

  it('is woken also when its content is frozen already', async () => {
    await accept('job_1');
    await jobs.prepare('main', 'job_1', 4, { content: 'YQ==' });
    now += 2 * MINUTE;
    expect((await reconcile(SHARD)).woken).toBe(1);
    expect(await jobs.get('main', 'job_1')).toMatchObject({ state: 'PREPARED', epoch: 4, attempts: 1 });
  });

  it('is one message when two runs meet', async () => {
    await accept('job_1');
    now += 2 * MINUTE;
    await Promise.all([reconcile(SHARD), reconcile(SHARD)]);
    expect(await messages()).toEqual(['job_1']);
  });

  it('is found behind others as these leave', async () => {
    for (const id of ['job_1', 'job_2', 'job_3', 'job_4']) await accept(id);
    now += 2 * MINUTE;
    await reconcile(SHARD);
    expect(await messages()).toEqual(['job_1', 'job_2', 'job_3']);
    await jobs.advance('main', 'job_2', 1, { state: 'SENT' });
    await reconcile(SHARD);
    expect(await messages()).toEqual(['job_4']);
  });

  it('is left to a later run when there is no time', async () => {
    for (const id of ['job_1', 'job_2']) await accept(id);
    now += 2 * MINUTE;
    let questions = 2;
    expect(await reconcile(SHARD, () => questions-- > 0)).toMatchObject({ open: 2, woken: 1 });
    expect(await messages()).toEqual(['job_1']);
  });

  it('of a session that is gone is woken, so that it ends', async () => {
    await accept('job_1', { session: 'gone' });
    now += 2 * MINUTE;
    await reconcile(SHARD);
    expect(await messages()).toEqual(['job_1']);
  });
});

describe('left alone are', () => {
  it.each(['STOPPED', 'STARTING', 'SCAN_QR_CODE', 'FAILED'] as const)(
    'sends of a session that is %s',
    async (status) => {
      await session('idle', status);
      await accept('job_1', { session: 'idle' });
      now += DAY / 2;
      expect((await reconcile(SHARD)).woken).toBe(0);
    },
  );

  it('sends that wait for their turn, until it has come', async () => {
    await accept('job_1');
    await accept('job_2');
    await jobs.defer('main', 'job_1', 2, { notBefore: now + 60 * MINUTE, waitsFor: 'new-conversations' });
    now += 2 * MINUTE;
    await reconcile(SHARD);
    expect(await messages()).toEqual(['job_2']);
    now += 60 * MINUTE;
    await reconcile(SHARD);
    expect(await messages()).toContain('job_1');
  });

  it('finished jobs, also when the index is late', async () => {
    await accept('job_1');
    const late = await jobs.listOpen(SHARD);
    await jobs.advance('main', 'job_1', 1, { state: 'SENT' });
    jobs.listOpen = async () => late;
    now += 2 * MINUTE;
    expect((await reconcile(SHARD)).woken).toBe(0);
    now += 2 * DAY;
    expect(await reconcile(SHARD)).toMatchObject({ woken: 0, expired: 0 });
    expect(await jobs.get('main', 'job_1')).toMatchObject({ state: 'SENT' });
  });

  it('other shards', async () => {
    await accept('job_1', { openShard: 'socket-01' });
    now += 2 * DAY;
    expect(await reconcile(SHARD)).toEqual({ open: 0, oldestMs: 0, woken: 0, expired: 0 });
  });
});

describe('what has expired', () => {
  it.each(['WORKING', 'STOPPED', 'STARTING', 'SCAN_QR_CODE', 'FAILED'] as const)(
    'ends when its session is %s, and a send has one message more, so that its host tells of it',
    async (status) => {
      await session('other', status);
      await accept('job_1', { session: 'other' });
      await accept('job_2', { command: { type: 'checkExists', phone: '49151' } });
      now += DAY + 2 * MINUTE;
      expect(await reconcile(SHARD)).toMatchObject({ woken: 0, expired: 2 });
      expect(await jobs.get('other', 'job_1')).toMatchObject({ state: 'EXPIRED', error: { code: 'expired' } });
      expect(await messages()).toEqual(['job_1']);
      expect(await reconcile(SHARD)).toMatchObject({ open: 0 });
      expect(await messages()).toEqual([]);
    },
  );

  it('has a message that says that it ends, unlike what is only woken', async () => {
    await accept('job_1');
    await accept('job_2', { expiresAt: now + 3 * DAY });
    now += DAY + 2 * MINUTE;
    expect(await reconcile(SHARD)).toMatchObject({ woken: 1, expired: 1 });
    const received = await queue.receive(SHARD, new AbortController().signal);
    expect(received.map(({ body }) => body)).toEqual([
      { kind: 'job', session: 'main', jobId: 'job_1', ended: true },
      { kind: 'job', session: 'main', jobId: 'job_2' },
    ]);
  });

  it('is told of though younger sends of its session wait', async () => {
    await session('idle', 'STOPPED');
    await accept('job_1', { session: 'idle' });
    now += DAY + 2 * MINUTE;
    await accept('job_2', { session: 'idle' });
    await queue.send(SHARD, { kind: 'job', session: 'idle', jobId: 'job_2' }, 'sends', 'job_2');
    const [waits] = await queue.receive(SHARD, new AbortController().signal);
    await queue.postpone(SHARD, waits?.receipt ?? '', 30);
    await reconcile(SHARD);
    expect(await messages()).toEqual(['job_1']);
  });

  it('has its message before its row has ended, so that no death makes it silent', async () => {
    await accept('job_1');
    now += DAY + 2 * MINUTE;
    const send = queue.send.bind(queue);
    const endEarly = jobs.endEarly.bind(jobs);
    const dies = async () => {
      throw new Error('the function has died');
    };
    queue.send = dies;
    await expect(reconcile(SHARD)).rejects.toThrow();
    expect(await jobs.get('main', 'job_1')).toMatchObject({ state: 'QUEUED', openShard: SHARD });
    queue.send = send;
    jobs.endEarly = dies;
    await expect(reconcile(SHARD)).rejects.toThrow();
    expect(await jobs.get('main', 'job_1')).toMatchObject({ state: 'QUEUED', openShard: SHARD });
    jobs.endEarly = endEarly;
    expect(await reconcile(SHARD)).toMatchObject({ expired: 1 });
    expect(await messages()).toEqual(['job_1']);
  });

  it('is left to a later run when there is no time', async () => {
    for (const id of ['job_1', 'job_2', 'job_3']) await accept(id);
    now += DAY + 2 * MINUTE;
    let changes = 2;
    expect(await reconcile(SHARD, () => changes-- > 0)).toMatchObject({ open: 3, expired: 2 });
    expect(await reconcile(SHARD)).toMatchObject({ open: 1, expired: 1 });
    expect(await messages()).toEqual(['job_1', 'job_2', 'job_3']);
  });

  it('is the owner’s to end when it may be on the wire', async () => {
    await accept('job_1');
    await jobs.prepare('main', 'job_1', 4, { content: 'YQ==' });
    now += DAY + 2 * MINUTE;
    expect(await reconcile(SHARD)).toMatchObject({ woken: 1, expired: 0 });
    expect(await jobs.get('main', 'job_1')).toMatchObject({ state: 'PREPARED' });
    expect(await messages()).toEqual(['job_1']);
  });
});
