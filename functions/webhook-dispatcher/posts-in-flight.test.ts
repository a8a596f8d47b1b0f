import { describe, expect, it } from 'vitest';
import { DispatcherWorld, OK, status } from '#test/support/dispatcher-world.ts';

/** A world with so many events in different chats: the first ten are on the way together. */
async function worldWith(events: number): Promise<DispatcherWorld> {
  const world = await DispatcherWorld.with();
  await world.messages(...Array.from({ length: events }, (_, index) => String(index)));
  return world;
}

const othersAreOnTheirWay = () => new Promise(setImmediate);
const pauseOf = async (world: DispatcherWorld) => ((await world.row())?.nextTryAt ?? world.now) - world.now;

describe('posts that are on the way together', () => {
  it('and fail together are one step of the pause', async () => {
    const world = await worldWith(30);
    world.answer = async () => {
      await othersAreOnTheirWay();
      return { kind: 'unreachable', reason: 'ECONNRESET' };
    };
    await world.wake();
    // Four of the ten had made room when the fifth failure was known.
    expect(world.posted).toHaveLength(14);
    expect(await world.row()).toMatchObject({ failures: 5 });
    expect(await pauseOf(world)).toBe(5_000);
  });

  it.each([200, 400])('lift a pause that failures have made, when one is answered %i', async (code) => {
    const world = await worldWith(10);
    world.answer = async ({ body }) => {
      if (body.id !== 'evt_10') return status(500);
      await othersAreOnTheirWay();
      return status(code);
    };
    await world.wake();
    expect(world.posted).toHaveLength(10);
    expect(await world.row()).toMatchObject({ failures: 0 });
    expect(await pauseOf(world)).toBe(0);
  });

  it('do not lift the pause that the receiver has asked for, though one gets through', async () => {
    const world = await worldWith(50);
    const start = world.now;
    world.answer = async ({ body }) => {
      if (world.now >= start + 120_000) return OK;
      if (body.id === 'evt_1') return status(429, '120');
      await othersAreOnTheirWay();
      return OK;
    };
    await world.wake();
    expect(world.posted).toHaveLength(10);
    expect(await pauseOf(world)).toBe(120_000);
    await world.settle();
    expect(await world.row()).toMatchObject({ delivered: 50, failures: 0 });
  });
});

describe('a receiver that asks for time', () => {
  it.each(['0', 'Fri, 01 Jan 2010 00:00:00 GMT', '-1', 'soon 2030'])(
    'but for none that is to come (%s) is tried by schedule',
    async (retryAfter) => {
      const world = await worldWith(1);
      world.answer = () => status(503, retryAfter);
      await world.settle();
      expect(world.posted.length).toBeGreaterThanOrEqual(20);
      expect(await world.deliveries()).toMatchObject([{ state: 'FAILED', attempts: world.posted.length }]);
    },
  );

  it('of a second, again and again, gets more, and no event is lost for it', async () => {
    const world = await DispatcherWorld.with({ retries: { policy: 'constant', delaySeconds: 2, attempts: 2 } });
    await world.messages('1');
    world.answer = () => status(503, '1');
    await world.wake();
    await world.until(world.now + 3_600_000);
    expect(world.posted.length).toBeGreaterThanOrEqual(8);
    expect(world.posted.length).toBeLessThanOrEqual(15);
    expect(await world.deliveries()).toMatchObject([{ state: 'RETRYING', attempts: 0 }]);
    world.answer = () => OK;
    await world.until(world.now + 900_000);
    expect(await world.deliveries()).toEqual([]);
  });

  it('of a second from whatever is new is an endpoint that is down', async () => {
    const world = await worldWith(300);
    world.answer = () => status(503, '1');
    await world.wake();
    await world.until(world.now + 3_600_000);
    expect(await world.row()).toMatchObject({ delivered: 0 });
    expect(world.posted.length).toBeLessThanOrEqual(100);
    world.answer = () => OK;
    await world.settle();
    expect(await world.row()).toMatchObject({ delivered: 300, failed: 0 });
  });
});
