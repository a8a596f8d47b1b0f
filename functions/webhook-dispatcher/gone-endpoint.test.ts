import { describe, expect, it } from 'vitest';
import { DispatcherWorld, OK, status } from '#test/support/dispatcher-world.ts';

describe('an endpoint that is gone (410)', () => {
  it('gets nothing any more, and that is told', async () => {
    const world = await DispatcherWorld.with();
    await world.messages('1');
    world.answer = () => status(410);
    await world.wake();
    expect(await world.row()).toMatchObject({ disabledReason: 'gone', disabledAt: world.now, last: { status: 410 } });
    expect(world.notices).toEqual([{ session: 'alpha', endpointId: world.endpointId, reason: 'gone', at: world.now }]);
    await world.messages('2');
    await world.settle();
    expect(world.posted).toHaveLength(1);
    world.answer = () => OK;
    await world.store.enable('alpha', world.endpointId);
    await world.settle();
    expect(world.ids().slice(1).toSorted()).toEqual(['evt_1', 'evt_2']);
  });

  it('by an answer from before its configuration was written again is tried again', async () => {
    const world = await DispatcherWorld.with();
    const ids = await world.messages('1');
    world.answer = async () => {
      await world.store.enable('alpha', world.endpointId);
      return status(410);
    };
    await world.wake();
    expect(await world.row()).not.toHaveProperty('disabledAt');
    expect(world.notices).toEqual([]);
    world.answer = () => OK;
    await world.settle();
    expect(world.ids()).toEqual([...ids, ...ids]);
  });

  it('at what would be the last try keeps the event', async () => {
    const world = await DispatcherWorld.with({ retries: { attempts: 0 } });
    const ids = await world.messages('1');
    world.answer = () => status(410);
    await world.settle();
    expect(await world.deliveries()).toMatchObject([{ state: 'RETRYING', last: { outcome: 'gone' } }]);
    world.answer = () => OK;
    await world.store.enable('alpha', world.endpointId);
    await world.settle();
    expect(world.ids()).toEqual([...ids, ...ids]);
  });
});
