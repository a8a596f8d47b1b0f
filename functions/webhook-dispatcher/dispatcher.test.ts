import { describe, expect, it, vi } from 'vitest';
import { webhookEndpoints } from '#shared/contracts/webhooks.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { tag } from '#shared/observability/logger.ts';
import { DispatcherWorld, lidOf, OK, status } from '#test/support/dispatcher-world.ts';
import { sqsEvent } from '#test/support/sqs-event.ts';
import { type DispatcherDeps, dispatch } from './dispatcher.ts';
import { createWebhookDispatcherHandler } from './handler.ts';
import { untried } from './tried-event.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('what is new in the log', () => {
  it('is posted once, from when the endpoint was added on', async () => {
    const world = await DispatcherWorld.with();
    await world.messages('1', '2');
    await world.store.clear('alpha');
    await world.store.declare('alpha', world.endpointId, 1, 2);
    const ids = await world.messages('1', '2', '3');
    await world.wake();
    await world.wake();
    expect(world.ids()).toEqual(ids);
    expect(await world.row()).toMatchObject({ cursor: 5, delivered: 3, last: { outcome: 'delivered', status: 200 } });
  });

  it('is read page by page', async () => {
    const world = await DispatcherWorld.with();
    const ids = await world.messages(...Array.from({ length: 250 }, (_, index) => String(index)));
    await world.wake();
    expect(world.ids().toSorted()).toEqual(ids.toSorted());
  });

  it('only of the kinds that the endpoint asks for', async () => {
    const world = await DispatcherWorld.with({ events: ['session.status'] });
    await world.messages('1');
    await world.wake();
    expect(world.posted).toEqual([]);
    expect(await world.row()).toMatchObject({ cursor: 1 });
  });

  it('is not for an endpoint that is configured no more', async () => {
    const world = await DispatcherWorld.with();
    await world.messages('1');
    const { endpointId } = world;
    await world.configure({ url: 'https://other.test/' });
    expect(endpointId).not.toBe(world.endpointId);
    await world.settle();
    expect(world.posted.map(({ url }) => url)).not.toContain('https://receiver.test/');
  });

  it('is not looked for when an earlier run has come past the event that wakes', async () => {
    const world = await DispatcherWorld.with();
    const [id = ''] = await world.messages('1');
    await world.wake({ id, seq: 1 });
    await world.sessions.intend('alpha', 'inc-1', { config: { webhooks: [] } });
    await world.wake({ id, seq: 1 });
    expect(world.ids()).toEqual([id]);
  });

  it('goes to the installation’s own webhook of a session from before, whichever event of the last minutes wakes it first', async () => {
    const world = new DispatcherWorld();
    await world.configure({});
    world.global = { url: 'https://global.test/', events: ['*'] };
    await world.messages('1');
    world.now += 5 * 60_000;
    await world.messages('2', '3', '4');
    world.now += 60_000;
    const endpointId = webhookEndpoints([], world.global)[0]?.id ?? '';
    await dispatch({ session: 'alpha', endpointId, event: { id: 'evt_3', seq: 3 } }, world.deps());
    expect(world.ids()).toEqual(['evt_2', 'evt_3', 'evt_4']);
    await dispatch({ session: 'alpha', endpointId, event: { id: 'evt_2', seq: 2 } }, world.deps());
    expect(world.ids()).toHaveLength(3);
    expect(new Set(world.posted.map(({ url }) => url))).toEqual(new Set(['https://global.test/']));
  });

  it('goes to it from where what wakes it was told first, when that does not say where it lies', async () => {
    const world = new DispatcherWorld();
    await world.configure({});
    world.global = { url: 'https://global.test/', events: ['*'] };
    await world.messages('1', '2');
    const [again] = await world.log.read('alpha', 0, 1);
    await world.messages('3');
    if (again === undefined) throw new Error('not reached');
    await world.log.append([{ ...again.envelope, seq: 1_001 }]);
    world.now += 3_600_000;
    const endpointId = webhookEndpoints([], world.global)[0]?.id ?? '';
    await dispatch({ session: 'alpha', endpointId, event: { id: 'evt_1' } }, world.deps());
    expect(world.ids()).toEqual(['evt_1', 'evt_2', 'evt_3', 'evt_1']);
  });

  it('goes to it from the event on that wakes it, however late that is', async () => {
    const world = new DispatcherWorld();
    await world.configure({});
    world.global = { url: 'https://global.test/', events: ['*'] };
    await world.messages('1', '2');
    world.now += 3_600_000;
    const endpointId = webhookEndpoints([], world.global)[0]?.id ?? '';
    await dispatch({ session: 'alpha', endpointId, event: { id: 'evt_2', seq: 2 } }, world.deps());
    expect(world.ids()).toEqual(['evt_2']);
  });

  it('is left to another run when the time is up', async () => {
    const world = await DispatcherWorld.with({ ordered: true });
    const ids = await world.messages('1', '1', '1');
    world.answer = () => {
      world.now += 13_000;
      return OK;
    };
    await world.wake();
    expect(world.ids()).toEqual(ids.slice(0, 1));
    expect(world.wakes).toHaveLength(1);
    await world.settle();
    expect(world.ids()).toEqual(ids);
  });
});

describe('one that fails alone', () => {
  it('is tried again by its own schedule, under the same id, while others go on', async () => {
    const world = await DispatcherWorld.with();
    const [first = '', second = ''] = await world.messages('1', '2');
    let failures = 0;
    world.answer = ({ body }) => (body.id === first && failures++ < 2 ? status(500) : OK);
    await world.wake();
    expect(await world.deliveries()).toMatchObject([{ eventId: first, state: 'RETRYING', attempts: 1 }]);
    expect(await world.row()).toMatchObject({ cursor: 2, delivered: 1 });
    await world.settle();
    expect(world.ids()).toEqual([first, second, first, first]);
    expect(await world.deliveries()).toEqual([]);
    expect(await world.row()).toMatchObject({ delivered: 2, failed: 0 });
    await world.settle();
    expect(await world.row()).not.toHaveProperty('setAside');
  });

  it('is tried again though its time has come before those beside it are through', async () => {
    const world = await DispatcherWorld.with({ retries: { policy: 'constant', delaySeconds: 2 } });
    const [first = '', second = ''] = await world.messages('1', '2');
    world.answer = async ({ body }) => {
      if (body.id === first) return world.posted.length === 1 ? status(500) : OK;
      await new Promise(setImmediate);
      world.now += 3_000;
      return OK;
    };
    await world.wake({ id: second, seq: 2 });
    const [timer] = world.timers;
    expect(timer?.dueAt).toBeGreaterThan(world.now);
    world.now = timer?.dueAt ?? 0;
    await world.wake();
    expect(world.ids()).toEqual([first, second, first]);
    expect(await world.deliveries()).toEqual([]);
  });

  it('waits as long as WAHA’s policy says, and fails after its attempts', async () => {
    const world = await DispatcherWorld.with({ retries: { policy: 'linear', delaySeconds: 10, attempts: 2 } });
    const [id] = await world.messages('1');
    const times: number[] = [];
    const start = world.now;
    world.answer = () => {
      times.push(world.now - start);
      return status(404);
    };
    await world.settle();
    expect(times).toEqual([0, 10_000, 30_000]);
    expect(await world.deliveries()).toMatchObject([
      { eventId: id, state: 'FAILED', attempts: 3, last: { outcome: 'transient', status: 404, reason: 'status-404' } },
    ]);
    expect(await world.row()).toMatchObject({ failed: 1 });
  });

  it.each([400, 413, 415, 422])(
    'with %i is tried three times and counts nothing against the endpoint',
    async (code) => {
      const world = await DispatcherWorld.with();
      await world.messages('1', '2', '3', '4', '5', '6', '7');
      world.answer = () => status(code);
      await world.settle();
      expect(world.posted).toHaveLength(21);
      expect(await world.row()).toMatchObject({ failures: 0, failed: 7 });
    },
  );

  it.each([301, 401, 403, 404, 408, 425, 429, 500, 503])('with %i is tried for 72 hours', async (code) => {
    const world = await DispatcherWorld.with();
    const start = world.now;
    await world.messages('1');
    let last = 0;
    world.answer = () => {
      last = world.now - start;
      return status(code);
    };
    await world.settle();
    expect(world.posted.length).toBeGreaterThanOrEqual(20);
    expect(last).toBeGreaterThan(60 * HOUR);
    expect(last).toBeLessThanOrEqual(72 * HOUR);
    expect(await world.deliveries()).toMatchObject([{ state: 'FAILED' }]);
  });
});

describe('what was set aside', () => {
  it('is filtered no longer than a run may take; the rest is for the next', async () => {
    const world = await DispatcherWorld.with({ filter: { textPattern: 'MESSAGE[13579]' } });
    const ids = await world.messages(...Array.from({ length: 9 }, () => '1'));
    // Each text takes its time.
    const compileTextPattern: DispatcherDeps['compileTextPattern'] = async () => (text) => {
      world.now += 4_000;
      return /[13579]$/.test(text);
    };
    const wake = () =>
      dispatch({ session: 'alpha', endpointId: world.endpointId }, { ...world.deps(), compileTextPattern });
    await wake();
    expect((await world.row())?.cursor).toBe(2);
    expect(world.wakes).toHaveLength(1);
    for (let turns = 0; turns < 9 && world.wakes.shift() !== undefined; turns += 1) await wake();
    expect((await world.row())?.cursor).toBe(9);
    expect(world.ids()).toEqual(ids.filter((_, index) => index % 2 === 0));
  });

  it('is filtered no longer than that where nothing of it is wanted', async () => {
    const world = await DispatcherWorld.with({ filter: { textPattern: 'nothing' } });
    await world.messages(...Array.from({ length: 60 }, () => '1'));
    const compileTextPattern: DispatcherDeps['compileTextPattern'] = async () => () => {
      world.now += 1_000;
      return false;
    };
    const begun = world.now;
    await dispatch({ session: 'alpha', endpointId: world.endpointId }, { ...world.deps(), compileTextPattern });
    expect(world.now - begun).toBeLessThanOrEqual(12_000);
    expect((await world.row())?.cursor).toBeGreaterThan(0);
    expect(world.wakes).toHaveLength(1);
  });

  it('is let go within the time of a run when it was set aside and is not wanted any more', async () => {
    const world = await DispatcherWorld.with();
    await world.messages(...Array.from({ length: 5 }, () => '1'), ...Array.from({ length: 100 }, () => '2'));
    world.answer = () => status(500);
    await world.wake();
    const row = await world.row();
    if (row === undefined) throw new Error('there is no endpoint');
    const events = await world.log.read('alpha', row.cursor, 200);
    await world.store.setAside(
      row,
      events.map(({ envelope, loggedAt }) => untried(envelope, loggedAt, {}, world.now)),
    );
    await world.store.advance(row, { cursor: 105, nextTryAt: null, failures: 0 });
    await world.configure({ filter: { textPrefix: 'nothing' } });
    const { log } = world;
    const read: typeof log.read = async (...given) => {
      world.now += 500;
      return await log.read(...given);
    };
    const slowly = { find: log.find.bind(log), lastBefore: log.lastBefore.bind(log), read };
    const begun = world.now;
    await dispatch({ session: 'alpha', endpointId: world.endpointId }, { ...world.deps(), log: slowly });
    expect(world.now - begun).toBeLessThan(20_000);
    expect(world.wakes).toHaveLength(1);
  });

  it('is not posted when the filter is against it by now', async () => {
    const world = await DispatcherWorld.with();
    await world.messages('1');
    world.answer = () => status(500);
    await world.wake();
    await world.configure({ filter: { textPrefix: '!' } });
    world.answer = () => OK;
    await world.settle();
    expect(world.posted).toHaveLength(1);
    expect(await world.deliveries()).toEqual([]);
  });

  it('for want of time is found by a timer, if whoever set it aside dies right after', async () => {
    const world = await DispatcherWorld.with({ ordered: true });
    await world.messages('1', '1', '2');
    world.answer = async ({ body }) => {
      if (body.id !== 'evt_1') return OK;
      await vi.waitFor(() => expect(world.ids()).toContain('evt_3'));
      world.now += 13_000;
      return OK;
    };
    const wake = { session: 'alpha', endpointId: world.endpointId, event: { id: 'evt_3', seq: 3 } };
    const deps = world.deps();
    const dying = async () => {
      throw new DependencyError('It dies here');
    };
    const queue = { wake: dying, wakeAt: deps.queue.wakeAt };
    await expect(dispatch(wake, { ...deps, queue })).rejects.toBeInstanceOf(DependencyError);
    expect(world.ids()).toEqual(['evt_1', 'evt_3']);
    await dispatch(wake, deps);
    world.now = world.timers[0]?.dueAt ?? 0;
    await world.wake();
    expect(world.ids()).toEqual(['evt_1', 'evt_3', 'evt_2']);
  });
});

describe('an ordered endpoint', () => {
  it('gets the events of a chat in order, those of other chats meanwhile', async () => {
    const world = await DispatcherWorld.with({ ordered: true });
    await world.messages('1', '2', '1', '2', '1');
    let failures = 0;
    const got: string[] = [];
    world.answer = ({ body }) => {
      if (body.id === 'evt_1' && failures++ < 3) return status(500);
      got.push(body.id);
      return OK;
    };
    await world.wake();
    expect(got).toEqual(['evt_2', 'evt_4']);
    await world.messages('1', '2');
    await world.settle();
    const ofChat = (parity: readonly string[]) => got.filter((id) => parity.includes(id));
    expect(ofChat(['evt_1', 'evt_3', 'evt_5', 'evt_6'])).toEqual(['evt_1', 'evt_3', 'evt_5', 'evt_6']);
    expect(ofChat(['evt_2', 'evt_4', 'evt_7'])).toEqual(['evt_2', 'evt_4', 'evt_7']);
    expect(got).toHaveLength(7);
  });

  it('keeps the order of a chat whose number becomes known', async () => {
    const world = await DispatcherWorld.with({ ordered: true });
    let failures = 0;
    const got: string[] = [];
    world.answer = ({ body }) => {
      if (failures++ === 0) return status(500);
      got.push(body.id);
      return OK;
    };
    const first = await world.message('1', {}, lidOf('1'));
    await world.wake();
    const second = await world.message('1', {});
    await world.settle();
    expect(got).toEqual([first.id, second.id]);
  });

  it('gets what is new of other chats though much that was set aside takes its time', async () => {
    const world = await DispatcherWorld.with({ ordered: true });
    const ids = await world.messages(...Array.from({ length: 20 }, () => '1'));
    world.answer = () => status(500);
    await world.wake();
    world.timers.length = 0;
    world.now += MINUTE;
    const [same = '', other = ''] = await world.messages('1', '2');
    world.answer = () => {
      world.now += 2_000;
      return OK;
    };
    const before = world.posted.length;
    await world.wake({ id: other, seq: 22 });
    expect(world.ids()).toContain(other);
    expect(world.ids()).not.toContain(same);
    await world.until(world.now);
    const got = world.ids().slice(before);
    expect(got.filter((id) => id !== other)).toEqual([...ids, same]);
    expect(await world.deliveries()).toEqual([]);
  });
});

describe('what is logged', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  it('is a line for each try, in the trace of the event', async () => {
    const world = await DispatcherWorld.with();
    const event = await world.message('1', { traceparent });
    world.answer = () => status(503);
    await world.wake();
    world.answer = () => OK;
    await world.settle();
    const known = {
      event: event.id,
      type: 'message',
      traceparent,
      session: tag('alpha'),
      endpointId: world.endpointId,
    };
    expect(world.lines.parsed).toMatchObject([
      { ...known, level: 'warn', msg: 'event not delivered', outcome: 'transient', status: 503 },
      { ...known, level: 'info', msg: 'event delivered', outcome: 'delivered', status: 200 },
    ]);
    expect(world.posted.map(({ headers }) => headers.traceparent)).toEqual([traceparent, traceparent]);
  });

  it('is what has woken an endpoint that could not be served', async () => {
    const world = await DispatcherWorld.with();
    const { endpointId } = world;
    world.fault = () => 'before';
    const handle = createWebhookDispatcherHandler({ ...world.deps(), wakes: { hold: async () => {} } });
    const wake = { session: 'alpha', endpointId };
    const batch = sqsEvent([{ ...wake, event: { id: 'evt_1', seq: 1, traceparent } }, wake, {}]);
    expect((await handle(batch)).batchItemFailures).toHaveLength(3);
    expect(world.lines.parsed).toMatchObject([
      { msg: 'endpoint not served', session: tag('alpha'), endpointId, event: 'evt_1', traceparent },
      { msg: 'endpoint not served', session: tag('alpha'), endpointId },
      { msg: 'endpoint not served', sqsMessageId: 'm2' },
    ]);
  });
});
