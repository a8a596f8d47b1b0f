import { describe, expect, it } from 'vitest';
import { DispatcherWorld, OK, status } from '#test/support/dispatcher-world.ts';
import { dispatch } from './dispatcher.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
describe('an endpoint that is down', () => {
  it('is left alone after five failures, and gets everything when it is up again', async () => {
    const world = await DispatcherWorld.with({ ordered: true });
    const ids = await world.messages(...Array.from({ length: 40 }, (_, index) => String(index % 20)));
    const upAt = world.now + 5 * MINUTE;
    const got: string[] = [];
    world.answer = ({ body }) => {
      if (world.now < upAt) return { kind: 'unreachable', reason: 'ECONNREFUSED' };
      got.push(body.id);
      return OK;
    };
    await world.wake();
    const tried = world.posted.length;
    expect(tried).toBeLessThanOrEqual(15);
    const { nextTryAt = 0 } = (await world.row()) ?? {};
    expect(nextTryAt).toBeGreaterThan(world.now);
    // What was not tried is behind the cursor, and costs nothing.
    expect((await world.deliveries()).length).toBeLessThanOrEqual(15);
    expect((await world.row())?.cursor).toBeLessThan(20);
    await world.messages('1');
    await world.wake();
    expect(world.posted).toHaveLength(tried);
    await world.settle();
    expect(got.toSorted()).toEqual([...ids, 'evt_41'].toSorted());
    expect(await world.row()).toMatchObject({ failures: 0, delivered: 41, failed: 0 });
  });

  it('is asked with one event at a time whether it is back', async () => {
    const world = await DispatcherWorld.with();
    await world.messages(...Array.from({ length: 30 }, (_, index) => String(index)));
    world.answer = () => ({ kind: 'timeout' });
    await world.wake();
    for (let turn = 0; turn < 5; turn += 1) {
      const before = world.posted.length;
      world.now = (await world.row())?.nextTryAt ?? 0;
      await world.wake();
      expect(world.posted.length - before).toBe(1);
    }
  });

  it('for more than 72 hours leaves failed deliveries, none tried that is older', async () => {
    const world = await DispatcherWorld.with();
    const ids = await world.messages(...Array.from({ length: 120 }, (_, index) => String(index)));
    world.answer = () => status(503);
    await world.settle();
    expect((await world.deliveries()).map(({ eventId, state }) => [eventId, state])).toEqual(
      ids.map((id) => [id, 'FAILED']),
    );
    world.answer = () => OK;
    const before = world.posted.length;
    const [fresh] = await world.messages('1');
    await world.settle();
    expect(world.ids().slice(before)).toEqual([fresh]);
  });

  it.each([
    ['seconds', '120'],
    ['a date', new Date(1_800_000_000_000 + 120_000).toUTCString()],
  ])('with Retry-After in %s is left alone for so long', async (_, retryAfter) => {
    const world = await DispatcherWorld.with();
    const start = world.now;
    const ids = await world.messages('1');
    world.answer = () => (world.now < start + 120_000 ? status(429, retryAfter) : OK);
    await world.wake();
    expect(await world.row()).toMatchObject({ nextTryAt: start + 120_000 });
    const later = await world.messages('2');
    await world.settle();
    expect(world.ids().slice(0, 1)).toEqual(ids);
    expect(world.ids().slice(1).toSorted()).toEqual([...ids, ...later]);
    expect(world.now).toBe(start + 120_000);
    expect(await world.row()).toMatchObject({ delivered: 2, failures: 0 });
  });
});

describe('a receiver that refuses a few events for ever', () => {
  const BAD = 10;

  /** One event a minute, each of another chat; everything that the queue brings meanwhile. @returns how long each took */
  async function delays(world: DispatcherWorld, minutes: number): Promise<readonly number[]> {
    const bad = new Set(await world.messages(...Array.from({ length: BAD }, (_, index) => String(index))));
    const got = new Map<string, number>();
    world.answer = ({ body }) => {
      if (bad.has(body.id)) return status(500);
      got.set(body.id, world.now);
      return OK;
    };
    const logged = new Map<string, number>();
    await world.wake({ id: `evt_${BAD}`, seq: BAD });
    for (let minute = 1; minute <= minutes; minute += 1) {
      const [id = ''] = await world.messages(String(BAD + minute));
      logged.set(id, world.now);
      await world.wake({ id, seq: BAD + minute });
      await world.until(world.now + MINUTE);
    }
    return [...logged].map(([id, at]) => (got.get(id) ?? Number.POSITIVE_INFINITY) - at);
  }

  it.each([[false], [true]])('gets the others meanwhile (ordered: %s)', async (ordered) => {
    const world = await DispatcherWorld.with({ ordered });
    const all = await delays(world, 120);
    // So many first refusals in a row look like an endpoint that is down, until the probes are through them.
    expect(Math.max(...all)).toBeLessThanOrEqual(5 * MINUTE);
    expect(Math.max(...all.slice(5))).toBe(0);
    expect(await world.deliveries()).toHaveLength(BAD);
    expect((await world.deliveries()).every(({ attempts }) => attempts >= 10)).toBe(true);
  });

  it('is left alone no longer for trying them again', async () => {
    const world = await DispatcherWorld.with();
    await delays(world, 1);
    await world.until(world.now + HOUR);
    expect(await world.row()).toMatchObject({ failures: 0 });
    expect(await world.row()).not.toHaveProperty('nextTryAt');
  });

  it('is asked with those when there is nothing new', async () => {
    const world = await DispatcherWorld.with();
    const ids = await world.messages('1', '2', '3', '4', '5');
    world.answer = () => status(500);
    await world.wake();
    world.answer = () => OK;
    await world.settle();
    expect(world.ids().toSorted()).toEqual([...ids, ...ids].toSorted());
  });
});

describe('a timer that comes early, by the clock here', () => {
  it('for an endpoint that is left alone is set again', async () => {
    const world = await DispatcherWorld.with();
    const start = world.now;
    const ids = await world.messages('1');
    world.answer = () => (world.posted.length === 1 ? status(429, '120') : OK);
    await world.wake();
    world.timers.length = 0;
    world.now = start + 119_900;
    await dispatch({ session: 'alpha', endpointId: world.endpointId, dueAt: start + 120_000 }, world.deps());
    expect(world.timers).toEqual([{ session: 'alpha', endpointId: world.endpointId, dueAt: start + 120_000 }]);
    await world.until(start + 120_000);
    expect(world.ids()).toEqual([...ids, ...ids]);
  });

  it('for an event that was set aside is set again', async () => {
    const world = await DispatcherWorld.with();
    const ids = await world.messages('1');
    world.answer = () => (world.posted.length === 1 ? status(500) : OK);
    await world.wake();
    const [timer] = world.timers.splice(0);
    world.now = (timer?.dueAt ?? 0) - 100;
    await dispatch({ session: 'alpha', endpointId: world.endpointId, dueAt: timer?.dueAt }, world.deps());
    expect(world.timers).toEqual([timer]);
    await world.until(world.now + 100);
    expect(world.ids()).toEqual([...ids, ...ids]);
  });
});
