import { describe, expect, it } from 'vitest';
import { DispatcherWorld, OK, status } from '#test/support/dispatcher-world.ts';

const MINUTE = 60_000;

describe('much that was set aside', () => {
  it.each([false, true])('gets on in every run, however long it takes to read (ordered: %s)', async (ordered) => {
    const world = await DispatcherWorld.with({ ordered });
    await world.messages('1', '2', '3');
    world.answer = () => status(500);
    await world.wake();
    world.answer = () => OK;
    world.now += MINUTE;
    const { due, deliveries } = world.store;
    const takingLong = <T>(read: Promise<T>) => {
      world.now += 20_000;
      return read;
    };
    world.store.due = (...args) => takingLong(due.apply(world.store, args));
    world.store.deliveries = (...args) => takingLong(deliveries.apply(world.store, args));
    for (let turn = 1; turn <= 3; turn += 1) await world.wake();
    expect(await world.row()).toMatchObject({ delivered: 3 });
  });

  it('is tried page by page as it falls due', async () => {
    const world = await DispatcherWorld.with();
    const ids = await world.messages(...Array.from({ length: 450 }, (_, index) => String(index)));
    world.answer = ({ body }) => (Number(body.id.slice('evt_'.length)) % 3 === 0 ? OK : status(422));
    await world.wake();
    expect(await world.deliveries()).toHaveLength(300);
    world.answer = () => OK;
    world.now += 4_000;
    await world.wake();
    expect(world.posted).toHaveLength(450);
    world.now += 1_000;
    await world.wake();
    expect(world.posted).toHaveLength(750);
    expect(new Set(world.ids().slice(450)).size).toBe(300);
    expect(world.ids().toSorted()).toEqual(
      [...ids, ...ids.filter((id) => Number(id.slice('evt_'.length)) % 3 !== 0)].toSorted(),
    );
    await world.settle();
    expect(await world.row()).not.toHaveProperty('setAside');
  });

  it('at an ordered endpoint, and more than a run looks at, keeps what is new in the log and its order', async () => {
    const world = await DispatcherWorld.with({ ordered: true });
    world.mostHeld = 50;
    const held = await world.messages(...Array.from({ length: 80 }, () => '1'));
    let isWell = false;
    const got: string[] = [];
    world.answer = ({ body }) => {
      if (!isWell) return status(500);
      got.push(body.id);
      return OK;
    };
    await world.wake();
    const { cursor } = (await world.row()) ?? {};
    expect(cursor).toBe(held.length);
    const [same = '', other = ''] = await world.messages('1', '2');
    await world.wake({ id: other, seq: held.length + 2 });
    // It is not known what is behind what was looked at.
    expect(await world.row()).toMatchObject({ cursor });
    isWell = true;
    await world.settle();
    expect(got.filter((id) => id !== other)).toEqual([...held, same]);
    expect(got).toContain(other);
    expect(got).toHaveLength(held.length + 2);
    await world.settle();
    expect(await world.row()).not.toHaveProperty('setAside');
  });
});
