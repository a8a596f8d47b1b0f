import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ShardMessage } from '#shared/contracts/jobs.ts';
import type { Lane, ReceivedShardMessage, ShardQueue } from '#shared/ports/shard-queue.ts';

export interface ShardQueueSetup {
  readonly queue: ShardQueue;
  readonly shard: string;
  /** What was buried so far. */
  readonly buried: () => Promise<readonly { readonly body: ShardMessage; readonly reason: string }[]>;
  /** Resolves when the queue has noticed the waits that began or ended so far. */
  readonly noticed: () => Promise<void>;
}

const job = (jobId: string, session = 'alpha'): ShardMessage => ({ kind: 'job', session, jobId });
const idOf = ({ body }: ReceivedShardMessage) => (body.kind === 'job' ? body.jobId : body.kind);

/** What every shard queue does. @param factory gives an empty queue */
export function defineShardQueueContract(name: string, factory: () => Promise<ShardQueueSetup>): void {
  describe(`${name}: a shard queue`, () => {
    let setup: ShardQueueSetup;
    let life: AbortController;
    beforeEach(async () => {
      setup = await factory();
      life = new AbortController();
    });
    afterEach(() => life.abort());

    const receive = () => setup.queue.receive(setup.shard, life.signal);
    /** A test that has timed out must not go on asking. */
    const receiveMore = () => {
      life.signal.throwIfAborted();
      return receive();
    };
    const send = (message: ShardMessage, lane: Lane = 'sends', id = JSON.stringify(message)) =>
      setup.queue.send(setup.shard, message, lane, id);
    /** Receives and finishes until `count` messages came. */
    const drain = async (count: number): Promise<string[]> => {
      const seen: string[] = [];
      while (seen.length < count) {
        for (const message of await receiveMore()) {
          seen.push(idOf(message));
          await setup.queue.done(setup.shard, message.receipt);
        }
      }
      return seen;
    };
    /** Receives without finishing until `count` messages came. */
    const hold = async (count: number): Promise<readonly ReceivedShardMessage[]> => {
      const held: ReceivedShardMessage[] = [];
      while (held.length < count) held.push(...(await receiveMore()));
      return held;
    };

    it('gives the messages of a lane in order', async () => {
      for (const id of ['1', '2', '3', '4']) await send(job(id));
      expect(await drain(4)).toEqual(['1', '2', '3', '4']);
    });

    it('gives what was sent, counting receipts', async () => {
      await send({ kind: 'session-changed', session: 'alpha' }, 'control', 'x');
      const [first] = await hold(1);
      expect(first).toMatchObject({ body: { kind: 'session-changed', session: 'alpha' }, receiveCount: 1 });
      await setup.queue.postpone(setup.shard, first?.receipt ?? '', 0);
      const [second] = await hold(1);
      expect(second).toMatchObject({ messageId: first?.messageId, receiveCount: 2 });
    });

    it.each(['parked', 'ended'] as const)('gives the mark of a message that is %s', async (mark) => {
      const body: ShardMessage = { kind: 'job', session: 'alpha', jobId: '1', [mark]: true };
      await send(body, mark);
      expect((await hold(1)).map((message) => message.body)).toEqual([body]);
    });

    it('holds a lane back for its unfinished head, and no other lane', async () => {
      await send(job('a1', 'alpha'));
      const [head] = await hold(1);
      await send(job('a2', 'alpha'));
      await send(job('c1', 'alpha'), 'control');
      await send(job('p1', 'alpha'), 'parked');
      await send(job('e1', 'alpha'), 'ended');
      await send(job('b1', 'beta'));
      expect((await hold(4)).map(idOf).sort()).toEqual(['b1', 'c1', 'e1', 'p1']);
      await setup.queue.done(setup.shard, head?.receipt ?? '');
      expect((await hold(1)).map(idOf)).toEqual(['a2']);
    });

    it('gives a postponed message again before those behind it', async () => {
      await send(job('1'));
      const [head] = await hold(1);
      await send(job('2'));
      await setup.queue.postpone(setup.shard, head?.receipt ?? '', 0);
      expect(await drain(2)).toEqual(['1', '2']);
    });

    it('tells how much there is, what is out included', async () => {
      expect(await setup.queue.depth(setup.shard)).toBe(0);
      for (const id of ['1', '2', '3']) await send(job(id));
      const [head] = await hold(1);
      expect(await setup.queue.depth(setup.shard)).toBe(3);
      await setup.queue.done(setup.shard, head?.receipt ?? '');
      expect(await setup.queue.depth(setup.shard)).toBe(2);
    });

    it('takes an id once in a lane', async () => {
      await send(job('1'), 'sends', 'same');
      await send(job('1'), 'sends', 'same');
      await send(job('2', 'beta'), 'sends', 'same');
      await send(job('3'), 'control', 'same');
      await send(job('4'), 'sends', 'last');
      expect((await drain(4)).sort()).toEqual(['1', '2', '3', '4']);
    });

    it('wakes a waiting receiver', async () => {
      const waiting = receive();
      await send(job('1'));
      expect((await waiting).map(idOf)).toEqual(['1']);
    });

    it('ends a wait on abort, empty, and hides nothing', async () => {
      await send(job('0'));
      await drain(1);
      const waiting = receive();
      await setup.noticed();
      life.abort();
      expect(await waiting).toEqual([]);
      expect(await receive()).toEqual([]);
      await setup.noticed();
      life = new AbortController();
      await send(job('1'));
      expect(await drain(1)).toEqual(['1']);
    });

    it('buries a message with its reason and goes on with the lane', async () => {
      await send(job('1'));
      await send(job('2'));
      const [poison, ...behind] = await hold(1);
      if (poison === undefined) throw new Error('Nothing was received.');
      await setup.queue.bury(setup.shard, poison, 'unknown command');
      for (const { receipt } of behind) await setup.queue.postpone(setup.shard, receipt, 0);
      expect(await drain(1)).toEqual(['2']);
      expect(await setup.buried()).toMatchObject([{ body: poison.body, reason: 'unknown command' }]);
    });
  });
}
