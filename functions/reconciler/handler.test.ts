import { describe, expect, it } from 'vitest';
import { DependencyError } from '#shared/domain/errors.ts';
import { createReconcilerHandler, ReconcilerError, type ReconcilerHandlerDeps } from './handler.ts';

const MINUTE = 60_000;

const brings = (count: number, failure?: DependencyError) => ({ bringBack: async () => ({ count, failure }) });
const none = brings(0);
const inTime = { getRemainingTimeInMillis: () => 60_000 };

/** Everything the handler tells, in order. */
function createScene(deps: Partial<ReconcilerHandlerDeps> = {}) {
  const emitted: (readonly [string, number])[] = [];
  const warned: unknown[] = [];
  const handler = createReconcilerHandler({
    shards: ['a', 'b'],
    reconcile: async () => ({ open: 1, oldestMs: 1_000, woken: 1, expired: 0 }),
    deadLetters: { webhooks: none, streams: none },
    clock: { now: () => 0 },
    metrics: { emit: (_, values) => emitted.push(...values.map(([{ name }, value]) => [name, value] as const)) },
    logger: { info: () => {}, warn: (fields: unknown) => warned.push(fields) },
    ...deps,
  });
  return { handler, emitted, warned };
}

it('looks at every shard, though one fails, and tells of that', async () => {
  const seen: string[] = [];
  const { handler, emitted, warned } = createScene({
    shards: ['a', 'b', 'c'],
    reconcile: async (shard) => {
      seen.push(shard);
      if (shard === 'b') throw new Error('throttled');
      return { open: 1, oldestMs: shard === 'a' ? 90_000 : 1_000, woken: 1, expired: 0 };
    },
    deadLetters: { webhooks: brings(3), streams: brings(2) },
  });
  await expect(handler({}, inTime)).rejects.toBeInstanceOf(ReconcilerError);
  expect(seen.sort()).toEqual(['a', 'b', 'c']);
  expect(warned).toMatchObject([{ shard: 'b' }, { of: 'webhooks', broughtBack: 3 }, { of: 'streams', broughtBack: 2 }]);
  expect(emitted).toEqual([
    ['OpenJobs', 2],
    ['OldestJobAge', 90],
    ['JobsWoken', 2],
    ['JobsExpired', 0],
    ['WebhooksBroughtBack', 3],
    ['StreamsBroughtBack', 2],
  ]);
});

it('tells what it did about dead letters though the rest of them fails', async () => {
  const failure = new DependencyError('throttled');
  const { handler, emitted, warned } = createScene({
    deadLetters: { webhooks: brings(7, failure), streams: none },
  });
  await expect(handler({}, inTime)).rejects.toBeInstanceOf(ReconcilerError);
  expect(emitted.slice(4)).toEqual([
    ['WebhooksBroughtBack', 7],
    ['StreamsBroughtBack', 0],
  ]);
  expect(warned).toEqual([
    { of: 'webhooks', broughtBack: 7 },
    { of: 'webhooks', err: failure },
  ]);
});

it('tells of jobs before it looks at dead letters, and leaves those in time', async () => {
  let left = 60_000;
  let batches = 0;
  let toldBefore = 0;
  const { handler, emitted } = createScene({
    deadLetters: {
      webhooks: {
        bringBack: async (mayGoOn) => {
          toldBefore = emitted.length;
          // Thousands, each batch of which takes a second.
          for (; batches < 2_000 && mayGoOn(); batches += 1) left -= 1_000;
          return { count: 10 * batches, failure: undefined };
        },
      },
      streams: none,
    },
  });
  await handler({}, { getRemainingTimeInMillis: () => left });
  expect(toldBefore).toBe(4);
  expect(left).toBe(15_000);
  expect(emitted.at(-2)).toEqual(['WebhooksBroughtBack', 450]);
});

describe('when jobs take all the time there is', () => {
  const shards = Array.from({ length: 64 }, (_, index) => `socket-${index}`);

  it('keeps some for its figures and for dead letters, and says how many shards it has not seen', async () => {
    let left = 60_000;
    let leftForLetters = 0;
    const seen: string[] = [];
    const { handler, emitted, warned } = createScene({
      shards,
      reconcile: async (shard, mayGoOn) => {
        seen.push(shard);
        // Thousands, each of which takes a moment.
        while (mayGoOn()) left -= 20;
        return { open: 1_000, oldestMs: 1_000, woken: 1_000, expired: 0 };
      },
      deadLetters: {
        webhooks: {
          bringBack: async () => {
            leftForLetters = left;
            return { count: 0, failure: undefined };
          },
        },
        streams: none,
      },
    });
    await handler({}, { getRemainingTimeInMillis: () => left });
    expect(leftForLetters).toBe(30_000);
    expect(emitted[0]).toEqual(['OpenJobs', 1_000 * seen.length]);
    expect(seen.length).toBeLessThan(shards.length);
    expect(warned).toEqual([{ shards: shards.length - seen.length }]);
  });

  it('begins elsewhere each minute, so that all shards have their turn', async () => {
    const seen = new Set<string>();
    const perRun: number[] = [];
    for (let run = 0; run < 12; run += 1) {
      let left = 60_000;
      const { handler } = createScene({
        shards,
        clock: { now: () => run * MINUTE },
        reconcile: async (shard) => {
          seen.add(shard);
          left -= 3_000;
          return { open: 1, oldestMs: 0, woken: 0, expired: 0 };
        },
      });
      const before = seen.size;
      await handler({}, { getRemainingTimeInMillis: () => left });
      perRun.push(seen.size - before);
    }
    expect(perRun[0]).toBe(10);
    expect(seen.size).toBe(shards.length);
  });
});
