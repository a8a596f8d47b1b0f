import { afterEach, describe, expect, it, vi } from 'vitest';
import { LocalDataKeys } from '#shared/adapters/local-data-keys.ts';
import { MemoryCheckpointStore } from '#shared/adapters/memory/memory-checkpoint-store.ts';
import { MemoryJournalBodyStore } from '#shared/adapters/memory/memory-journal-body-store.ts';
import { MemoryJournalStore } from '#shared/adapters/memory/memory-journal-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { DependencyError, NotOwnerError } from '#shared/domain/errors.ts';
import type { JournalRecord } from '#shared/ports/journal-store.ts';
import type { Checkpoint } from '#shared/ports/state-store.ts';
import { ManualLease } from '../host/manual-lease.ts';
import { JournaledState } from './journaled-state.ts';
import { restoreState } from './restore-state.ts';
import { sessionRow } from './row-fixtures.ts';
import { SessionCheckpoints } from './session-checkpoints.ts';
import { SessionJournal } from './session-journal.ts';
import { storedState } from './stored-state.ts';

const HOUR = 3_600_000;
const row = sessionRow();

function createStores() {
  return {
    journal: new MemoryJournalStore(),
    journalBodies: new MemoryJournalBodyStore(),
    dataKeys: new LocalDataKeys(new Uint8Array(32).fill(7)),
    checkpoints: new MemoryCheckpointStore(),
  };
}

async function openState({
  stores = createStores(),
  epoch = 1,
  checkpointInterval = HOUR,
  pointers = [] as Checkpoint[],
} = {}) {
  const lease = new ManualLease('socket-00', epoch);
  const fenced: NotOwnerError[] = [];
  const failures: unknown[] = [];
  const onFailure = (error: unknown) => failures.push(error);
  const session = { ...row, checkpoint: pointers.at(-1) ?? null };
  const journal = new SessionJournal(session, stores);
  const restored = await restoreState({
    ...stores,
    session,
    lease,
    checkpoint: session.checkpoint,
    journal,
    onFailure,
  });
  const checkpoints = new SessionCheckpoints({
    ...stores,
    row: session,
    lease,
    clock: systemClock,
    journal,
    point: async (checkpoint) => {
      pointers.push(checkpoint);
    },
    onFailure,
  });
  const state = new JournaledState(restored, {
    lease,
    journal,
    checkpoints,
    checkpointInterval,
    onFailure,
    onFenced: (error) => fenced.push(error),
  });
  const stored = async () =>
    Object.fromEntries(await storedState({ ...row, checkpoint: pointers.at(-1) ?? null }, stores));
  return { state, lease, stores, pointers, fenced, failures, stored };
}

async function recordsIn(journal: MemoryJournalStore) {
  const records: JournalRecord[] = [];
  for await (const record of journal.read(row, 1)) records.push(record);
  return records;
}
const positions = async (journal: MemoryJournalStore) =>
  (await recordsIn(journal)).map(({ lsn, epoch, kind }) => `${lsn} ${kind} ${epoch}`);
const put = (key: string, ...bytes: number[]) => ({ key, value: Uint8Array.from(bytes) });
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Holds every append of a store back until it is told to go on. */
function gate(journal: MemoryJournalStore) {
  const opened = Promise.withResolvers<void>();
  const append = journal.append.bind(journal);
  const spy = vi.spyOn(journal, 'append').mockImplementation(async (...args) => {
    await opened.promise;
    return await append(...args);
  });
  return { open: () => opened.resolve(), spy };
}

describe('JournaledState', () => {
  it('applies changes at once, copies values, and lists keys by prefix', async () => {
    const { state } = await openState();
    const value = Uint8Array.of(1);
    expect(state.append([{ key: 'session/a', value }, put('session/b', 2), put('creds', 3)])).toBe(1);
    value[0] = 9;
    expect(state.get('session/a')).toEqual(Uint8Array.of(1));
    expect(state.append([{ key: 'session/b', value: null }])).toBe(2);
    expect(state.keys('session/')).toEqual(['session/a']);
    expect(state.head).toBe(2);
    expect(state.append([])).toBe(2);
    state.fence(new NotOwnerError('end of test'));
  });

  it('is durable only when the record is in the journal', async () => {
    const { state, stores, stored } = await openState();
    const { open, spy } = gate(stores.journal);
    let durable = false;
    const waiting = state.durable(state.append([put('a', 1)])).then(() => {
      durable = true;
    });
    await vi.waitFor(() => expect(spy).toHaveBeenCalled());
    await nextTurn();
    expect(durable).toBe(false);
    open();
    await waiting;
    expect(await stored()).toEqual({ a: Uint8Array.of(1) });
  });

  it('puts a turn into one record; what comes while it is written rides in one more', async () => {
    const { state, stores, stored } = await openState();
    const { open, spy } = gate(stores.journal);
    state.append([put('a', 1)]);
    const first = state.durable(state.append([put('b', 1)]));
    await vi.waitFor(() => expect(spy).toHaveBeenCalled());
    const others = [2, 3, 4].map((byte) => state.durable(state.append([put('c', byte)])));
    state.append([{ key: 'a', value: null }]);
    open();
    await Promise.all([first, ...others]);
    expect(await positions(stores.journal)).toEqual(['1 seal 1', '2 changes 1', '3 changes 1']);
    expect(await stored()).toEqual({ b: Uint8Array.of(1), c: Uint8Array.of(4) });
  });

  it('waits for nothing when nothing is new', async () => {
    const { state, stores } = await openState();
    await state.durable(state.head);
    await state.flush();
    expect(await positions(stores.journal)).toEqual(['1 seal 1']);
  });

  it('divides what is too much for one record, but never the changes of one call', async () => {
    const { state, stores, stored } = await openState();
    const { open } = gate(stores.journal);
    const random = (index: number) => {
      const value = new Uint8Array(100 * 1024);
      crypto.getRandomValues(value.subarray(0, 65_536));
      value[0] = index;
      return { key: `k${index}`, value };
    };
    for (let index = 0; index < 5; index += 1) state.append([random(index)]);
    const huge = [5, 6, 7, 8, 9].map(random);
    const done = state.durable(state.append(huge));
    open();
    await done;
    expect(await positions(stores.journal)).toHaveLength(1 + 3 + 1);
    expect(stores.journalBodies.size).toBe(1);
    expect(Object.keys(await stored())).toHaveLength(10);
  });

  it('writes one record when the answer to its append was lost', async () => {
    const { state, stores, failures, stored } = await openState();
    const append = stores.journal.append.bind(stores.journal);
    vi.spyOn(stores.journal, 'append').mockImplementationOnce(async (...args) => {
      await append(...args);
      throw new DependencyError('no answer');
    });
    await state.durable(state.append([put('a', 1)]));
    await state.durable(state.append([put('b', 2)]));
    expect(failures).toHaveLength(1);
    expect(await positions(stores.journal)).toEqual(['1 seal 1', '2 changes 1', '3 changes 1']);
    expect(await stored()).toEqual({ a: Uint8Array.of(1), b: Uint8Array.of(2) });
  });

  it('is fenced by the next owner: nothing that it appends afterwards gets in', async () => {
    const { state, stores, fenced } = await openState();
    await state.durable(state.append([put('a', 1)]));
    const next = await openState({ stores, epoch: 2 });
    expect(next.state.get('a')).toEqual(Uint8Array.of(1));
    await expect(state.durable(state.append([put('a', 2)]))).rejects.toThrow(NotOwnerError);
    await expect(state.durable(state.append([put('a', 3)]))).rejects.toThrow(NotOwnerError);
    expect(fenced).toHaveLength(1);
    await next.state.durable(next.state.append([put('b', 1)]));
    expect(await positions(stores.journal)).toEqual(['1 seal 1', '2 changes 1', '3 seal 2', '4 changes 2']);
  });

  it('is fenced by a later opening under the same epoch', async () => {
    const { state, stores, fenced } = await openState();
    await openState({ stores });
    await expect(state.durable(state.append([put('a', 2)]))).rejects.toThrow(NotOwnerError);
    expect(fenced).toHaveLength(1);
  });

  it('is fenced also when the journal has been tidied up since', async () => {
    const { state, stores } = await openState();
    await state.durable(state.append([put('a', 1)]));
    const pointers: Checkpoint[] = [];
    const next = await openState({ stores, epoch: 2, pointers });
    for (let byte = 0; byte < 10; byte += 1) await next.state.durable(next.state.append([put('b', byte)]));
    await next.state.close();
    await expect(state.durable(state.append([put('a', 2)]))).rejects.toThrow(NotOwnerError);
    const last = await openState({ stores, epoch: 3, pointers });
    expect(last.state.get('a')).toEqual(Uint8Array.of(1));
  });

  it('does not go on behind an owner with a higher epoch', async () => {
    const { stores } = await openState({ epoch: 2 });
    await expect(openState({ stores, epoch: 1 })).rejects.toThrow(NotOwnerError);
    expect(await positions(stores.journal)).toEqual(['1 seal 2']);
  });

  it('stores nothing while the lease is suspended, and goes on afterwards', async () => {
    const { state, lease, stores } = await openState();
    lease.suspend();
    const durable = state.durable(state.append([put('a', 1)]));
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect(await positions(stores.journal)).toEqual(['1 seal 1']);
    lease.resume();
    await durable;
    expect(await positions(stores.journal)).toEqual(['1 seal 1', '2 changes 1']);
  });

  it('is over when the lease ends', async () => {
    const { state, lease, stores, fenced } = await openState();
    lease.end();
    await expect(state.durable(state.append([put('a', 1)]))).rejects.toThrow(NotOwnerError);
    expect(fenced).toHaveLength(1);
    expect(await positions(stores.journal)).toEqual(['1 seal 1']);
  });
});

describe('checkpoints of a JournaledState', () => {
  const TIMERS: ('setTimeout' | 'clearTimeout')[] = ['setTimeout', 'clearTimeout'];
  afterEach(() => vi.useRealTimers());

  it.each([
    ['500 records', 500, 1],
    ['1 MB', 20, 65_536],
  ])('are taken after %s, of exactly what the journal says there, and the journal is cut', async (_, count, size) => {
    const { state, stores, pointers, stored } = await openState();
    for (let index = 0; index < count; index += 1) {
      const value = crypto.getRandomValues(new Uint8Array(size));
      await state.durable(
        state.append([
          { key: `k${index % 20}`, value },
          { key: `x${index % 20}`, value },
        ]),
      );
    }
    await state.durable(state.append([put('last', 1)]));
    await vi.waitFor(() => expect(pointers).toHaveLength(1));
    const [pointer] = pointers;
    const whole = await stored();
    expect(Object.keys(whole)).toHaveLength(2 * Math.min(count, 20) + 1);
    await vi.waitFor(async () => {
      const left = (await recordsIn(stores.journal)).map(({ lsn }) => lsn);
      expect(left.filter((lsn) => lsn <= (pointer?.lsn ?? 0))).toEqual([1]);
    });
    expect(await stored()).toEqual(whole);
  });

  it('are taken after the interval, and not without a change', async () => {
    vi.useFakeTimers({ toFake: TIMERS });
    const { state, pointers } = await openState({ checkpointInterval: 5 });
    await vi.advanceTimersByTimeAsync(30);
    expect(pointers).toEqual([]);
    state.append([put('a', 1)]);
    await vi.waitFor(() => expect(pointers).toMatchObject([{ lsn: 2 }]));
    await vi.advanceTimersByTimeAsync(30);
    expect(pointers).toHaveLength(1);
  });

  it('are taken at a clean stop, if there is something new', async () => {
    const { state, stores, pointers } = await openState();
    state.append([put('a', 1)]);
    await state.close();
    expect(pointers).toMatchObject([{ lsn: 2, epoch: 1 }]);
    await expect(state.flush()).rejects.toThrow(NotOwnerError);
    const again = await openState({ stores, pointers });
    expect(again.state.get('a')).toEqual(Uint8Array.of(1));
    await again.state.close();
    expect(pointers).toHaveLength(1);
  });

  it('hold nothing that is not in the journal yet', async () => {
    vi.useFakeTimers({ toFake: TIMERS });
    const { state, stores, pointers } = await openState({ checkpointInterval: 1 });
    const { open, spy } = gate(stores.journal);
    state.append([put('a', 1)]);
    await vi.waitFor(() => expect(spy).toHaveBeenCalled());
    await vi.advanceTimersByTimeAsync(20);
    expect(pointers).toEqual([]);
    state.append([put('a', 2)]);
    open();
    await state.flush();
    await vi.waitFor(() => expect(pointers).toHaveLength(1));
    const last = await openState({ stores, epoch: 2, pointers });
    expect(last.state.get('a')).toEqual(Uint8Array.of(2));
  });

  it('wait while the newest changes do not fit into the record that is written', async () => {
    const { state, stores, pointers } = await openState();
    for (let index = 0; index < 499; index += 1) await state.durable(state.append([put('a', 1)]));
    const { open, spy } = gate(stores.journal);
    spy.mockClear();
    state.append([put('a', 2)]);
    await vi.waitFor(() => expect(spy).toHaveBeenCalled());
    const large = { key: 'large', value: new Uint8Array(200 * 1024) };
    state.append([large, put('a', 3)]);
    state.append([large, put('a', 4), put('b', 4)]);
    open();
    await state.flush();
    await vi.waitFor(() => expect(pointers).toMatchObject([{ lsn: 503 }]));
  });

  it('fail without harm to the session', async () => {
    const { state, stores, failures, pointers } = await openState({ checkpointInterval: 1 });
    vi.spyOn(stores.checkpoints, 'put').mockRejectedValueOnce(new DependencyError('S3 is down'));
    await state.durable(state.append([put('a', 1)]));
    await vi.waitFor(() => expect(failures).toHaveLength(1));
    await state.durable(state.append([put('a', 2)]));
    await vi.waitFor(() => expect(pointers).not.toEqual([]));
  });

  it('forget a login, but not what outlives it', async () => {
    const pointers: Checkpoint[] = [];
    const { state, stores } = await openState({ pointers });
    state.append([put('creds', 1), put('meta/seq', 2)]);
    await state.close();
    const again = await openState({ stores, pointers });
    again.state.append([put('creds', 2)]);
    await again.state.forgetLogin();
    expect(await again.stored()).toEqual({ 'meta/seq': Uint8Array.of(2) });
    const [first, last] = pointers;
    if (first === undefined || last === undefined) throw new Error('two checkpoints were expected');
    await expect(stores.checkpoints.get(first)).rejects.toThrow();
    const left = await recordsIn(stores.journal);
    expect(left.filter(({ kind, lsn }) => kind === 'changes' && lsn < last.lsn)).toEqual([]);
  });
});
