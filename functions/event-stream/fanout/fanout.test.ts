import { beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryStreamStore } from '#shared/adapters/memory/memory-stream-store.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { streamRow } from '#test/contracts/stream-store-contract.ts';
import { sqsEvent } from '#test/support/sqs-event.ts';
import { RecordedStreamQueue } from '../test-support/recorded-stream-queue.ts';
import { createStreamFanout } from './fanout.ts';

let streams: MemoryStreamStore;
let queue: RecordedStreamQueue;
const logger = { warn: vi.fn() };
beforeEach(async () => {
  streams = new MemoryStreamStore();
  queue = new RecordedStreamQueue();
  await streams.open(streamRow(), new Map());
  await streams.open(streamRow({ connectionId: 'c2', sessions: ['*'] }), new Map());
});

const told = (id: string, session: string, seq?: number) => ({ id, detail: { id: `evt_${id}`, session, seq } });
const fanOut = (bodies: readonly unknown[]) => createStreamFanout({ streams, queue, logger })(sqsEvent(bodies));

describe('the fan-out', () => {
  it('wakes each stream that asked for a session, once for a batch, from the earliest event on', async () => {
    expect(await fanOut([told('1', 'alpha', 8), told('2', 'alpha', 7), told('3', 'beta', 3)])).toEqual({
      batchItemFailures: [],
    });
    expect(queue.tasks).toEqual([
      { kind: 'session', connectionId: 'c1', session: 'alpha', seq: 7 },
      { kind: 'session', connectionId: 'c2', session: 'alpha', seq: 7 },
      { kind: 'session', connectionId: 'c2', session: 'beta', seq: 3 },
    ]);
  });

  it('wakes again for a batch that comes in another composition', async () => {
    const wakeUps = [
      { kind: 'session', connectionId: 'c2', session: 'beta', seq: 4 },
      { kind: 'session', connectionId: 'c2', session: 'beta', seq: 3 },
    ];
    await fanOut([told('2', 'beta', 4)]);
    await fanOut([told('1', 'beta', 3), told('2', 'beta', 4)]);
    expect(queue.tasks).toEqual(wakeUps);
    await fanOut([told('2', 'beta', 4), told('1', 'beta', 3)]);
    expect(queue.tasks).toEqual(wakeUps);
  });

  it('wakes for an event that an earlier version has published without its `seq`', async () => {
    await fanOut([told('1', 'beta')]);
    expect(queue.tasks).toEqual([{ kind: 'session', connectionId: 'c2', session: 'beta' }]);
  });

  it('wakes nobody for what the bus brings again from its archive', async () => {
    expect(await fanOut([{ ...told('1', 'alpha', 8), 'replay-name': 'again-1' }])).toEqual({ batchItemFailures: [] });
    expect(queue.tasks).toEqual([]);
  });

  it('gives back tasks whose time has come', async () => {
    const task = { kind: 'heartbeat', connectionId: 'c1', at: 5 };
    await fanOut([{ timer: task }]);
    expect(queue.tasks).toEqual([task]);
  });

  it('reports what it cannot read, and does the rest', async () => {
    const answer = await fanOut(['no JSON', { timer: { kind: 'unknown' } }, told('1', 'beta', 1)]);
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['m0', 'm1']);
    expect(queue.tasks).toHaveLength(1);
  });

  it('fails as a whole when nobody can be woken', async () => {
    vi.spyOn(streams, 'readersOf').mockRejectedValue(new DependencyError('no answer'));
    await expect(fanOut([told('1', 'beta', 1)])).rejects.toBeInstanceOf(DependencyError);
  });
});
