import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { DependencyError, NotOwnerError } from '#shared/domain/errors.ts';
import type { Checkpoint } from '#shared/ports/state-store.ts';
import { ManualLease } from '../host/manual-lease.ts';
import { CheckpointedState } from './checkpointed-state.ts';
import { decodeState } from './state-codec.ts';

const HOUR = 3_600_000;

function createState(interval = HOUR, lsn = 0) {
  const lease = new ManualLease();
  const objects = new Map<string, Uint8Array>();
  const pointers: Checkpoint[] = [];
  const pruned: number[] = [];
  const fenced: NotOwnerError[] = [];
  const hooks = { beforeStore: async () => {}, beforePoint: async () => {} };
  const state = new CheckpointedState(new Map(), lsn, {
    lease,
    clock: systemClock,
    interval,
    store: async (at, body) => {
      await hooks.beforeStore();
      const checkpoint = { key: `${at}-${lease.epoch}`, lsn: at, epoch: lease.epoch };
      objects.set(checkpoint.key, body);
      return checkpoint;
    },
    point: async (checkpoint) => {
      await hooks.beforePoint();
      pointers.push(checkpoint);
    },
    prune: async (keep) => {
      pruned.push(keep);
    },
    onFailure: () => {},
    onFenced: (error) => fenced.push(error),
  });
  const newest = async () => {
    const key = pointers.at(-1)?.key;
    const body = key === undefined ? undefined : objects.get(key);
    return body === undefined ? undefined : Object.fromEntries(await decodeState(body));
  };
  return { state, lease, objects, pointers, pruned, fenced, hooks, newest };
}

const put = (key: string, ...bytes: number[]) => ({ key, value: Uint8Array.from(bytes) });

describe('CheckpointedState', () => {
  it('applies changes at once, copies values, and lists keys by prefix', () => {
    const { state } = createState();
    const value = Uint8Array.of(1);
    expect(state.append([{ key: 'session/a', value }, put('session/b', 2), put('creds', 3)])).toBe(1);
    value[0] = 9;
    expect(state.get('session/a')).toEqual(Uint8Array.of(1));
    expect(state.append([{ key: 'session/b', value: null }])).toBe(2);
    expect(state.keys('session/')).toEqual(['session/a']);
    expect(state.head).toBe(2);
    state.fence(new NotOwnerError('end of test'));
  });

  it('is durable only when the object is stored and the pointer is written', async () => {
    const { state, hooks, newest } = createState();
    const gate = Promise.withResolvers<void>();
    hooks.beforePoint = () => gate.promise;
    let durable = false;
    const waiting = state.durable(state.append([put('a', 1)])).then(() => {
      durable = true;
    });
    await vi.waitFor(() => expect(state.head).toBe(1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(durable).toBe(false);
    gate.resolve();
    await waiting;
    expect(await newest()).toEqual({ a: Uint8Array.of(1) });
  });

  it('saves one at a time; what comes meanwhile rides in one more save', async () => {
    const { state, hooks, pointers, newest } = createState(0);
    const gate = Promise.withResolvers<void>();
    hooks.beforeStore = () => gate.promise;
    const first = state.durable(state.append([put('a', 1)]));
    await new Promise((resolve) => setImmediate(resolve));
    const others = [2, 3, 4].map((byte) => state.durable(state.append([put(`k${byte}`, byte)])));
    gate.resolve();
    await Promise.all([first, ...others]);
    expect(pointers.map(({ lsn }) => lsn)).toEqual([1, 4]);
    expect(Object.keys((await newest()) ?? {})).toEqual(['a', 'k2', 'k3', 'k4']);
  });

  it('waits for the interval when nobody waits for it, and not when somebody does', async () => {
    const { state, pointers } = createState(HOUR);
    await state.durable(state.append([put('a', 1)]));
    state.append([put('a', 2)]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pointers).toHaveLength(1);
    await state.flush();
    expect(pointers.map(({ lsn }) => lsn)).toEqual([1, 2]);
  });

  it('repeats a failed save', async () => {
    const { state, hooks, pointers } = createState(0);
    let failures = 2;
    hooks.beforeStore = async () => {
      if (failures-- > 0) throw new DependencyError('S3 is down');
    };
    await state.durable(state.append([put('a', 1)]));
    expect(pointers).toHaveLength(1);
  });

  it('continues the numbers of the checkpoint it was read from', async () => {
    const { state, pointers } = createState(0, 41);
    await state.durable(41);
    expect(pointers).toEqual([]);
    await state.durable(state.append([put('a', 1)]));
    expect(pointers).toMatchObject([{ lsn: 42 }]);
  });

  it('stores nothing while the lease is suspended, and goes on afterwards', async () => {
    const { state, lease, objects } = createState(0);
    lease.suspend();
    const durable = state.durable(state.append([put('a', 1)]));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(objects.size).toBe(0);
    lease.resume();
    await durable;
    expect(objects.size).toBe(1);
  });

  it.each(['the lease ends', 'the pointer is refused'])('is fenced for good when %s', async (how) => {
    const { state, lease, hooks, fenced } = createState(0);
    if (how === 'the lease ends') lease.end();
    hooks.beforePoint = async () => {
      throw new NotOwnerError('a higher epoch has written');
    };
    await expect(state.durable(state.append([put('a', 1)]))).rejects.toThrow(NotOwnerError);
    expect(fenced).toHaveLength(1);
    await expect(state.durable(state.append([put('a', 2)]))).rejects.toThrow(NotOwnerError);
    expect(fenced).toHaveLength(1);
  });

  it('prunes every twentieth save and at the end', async () => {
    const { state, pruned } = createState(0);
    for (let byte = 1; byte <= 40; byte += 1) await state.durable(state.append([put('a', byte)]));
    expect(pruned).toEqual([3, 3]);
    await state.close();
    expect(pruned).toEqual([3, 3, 3]);
    await expect(state.flush()).rejects.toThrow(NotOwnerError);
  });

  it('forgets a login, but not what outlives it, and leaves no older checkpoint', async () => {
    const { state, newest, pruned } = createState();
    state.append([put('creds', 1), put('meta/seq', 2)]);
    await state.forgetLogin();
    expect(await newest()).toEqual({ 'meta/seq': Uint8Array.of(2) });
    expect(pruned).toEqual([1]);
  });
});
