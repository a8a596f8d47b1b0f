import { expect, it } from 'vitest';
import type { ShardMessage } from '../../contracts/jobs.ts';
import { MemoryShardQueue } from './memory-shard-queue.ts';

const message: ShardMessage = { kind: 'job', session: 'alpha', jobId: '1' };

function setUp() {
  let time = 0;
  const clock = { now: () => time, monotonic: () => time };
  const queue = new MemoryShardQueue({ clock, visibilitySeconds: 60, pollSeconds: 0 });
  const receive = () => queue.receive('s', new AbortController().signal);
  return { queue, receive, pass: (seconds: number) => (time += seconds * 1000) };
}

it('gives an unfinished message again when its time is over', async () => {
  const { queue, receive, pass } = setUp();
  await queue.send('s', message, 'sends', '1');
  expect(await receive()).toMatchObject([{ receiveCount: 1 }]);
  pass(59);
  expect(await receive()).toEqual([]);
  pass(1);
  expect(await receive()).toMatchObject([{ receiveCount: 2 }]);
});

it('keeps a postponed message, and its lane, as long as it was told', async () => {
  const { queue, receive, pass } = setUp();
  await queue.send('s', message, 'sends', '1');
  const [received] = await receive();
  await queue.postpone('s', received?.receipt ?? '', 600);
  await queue.send('s', { ...message, jobId: '2' }, 'sends', '2');
  pass(599);
  expect(await receive()).toEqual([]);
  pass(1);
  expect((await receive()).map(({ body }) => body)).toMatchObject([{ jobId: '1' }, { jobId: '2' }]);
});

it('forgets an id after five minutes', async () => {
  const { queue, receive, pass } = setUp();
  await queue.send('s', message, 'sends', '1');
  pass(300);
  await queue.send('s', message, 'sends', '1');
  expect(await receive()).toHaveLength(2);
});

it('takes no answer for a message that was given to somebody else since', async () => {
  const { queue, receive, pass } = setUp();
  await queue.send('s', message, 'sends', '1');
  const [first] = await receive();
  pass(60);
  await receive();
  await queue.done('s', first?.receipt ?? '');
  expect(queue.size('s')).toBe(1);
});

it('tells a waiting receiver when the clock has moved', async () => {
  let time = 0;
  const queue = new MemoryShardQueue({ clock: { now: () => time, monotonic: () => time } });
  await queue.send('s', message, 'sends', '1');
  const { signal } = new AbortController();
  await queue.receive('s', signal);
  const again = queue.receive('s', signal);
  time += 60_000;
  expect(await again).toMatchObject([{ receiveCount: 2 }]);
});
