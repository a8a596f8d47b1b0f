import { describe, expect, it } from 'vitest';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import type { WebhookTimer, WebhookWake } from '#shared/contracts/webhook-rows.ts';
import { type WebhookConfig, webhookEndpoints } from '#shared/contracts/webhooks.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { createLogger, tag } from '#shared/observability/logger.ts';
import { sessionRow } from '#test/contracts/rows.ts';
import { LogLines } from '#test/support/log-lines.ts';
import { sqsEvent } from '#test/support/sqs-event.ts';
import { createWebhookFanoutHandler } from './handler.ts';
import { SessionInterest } from './interest.ts';
import { fanOut, type WebhookFanoutDeps } from './webhook-fanout.ts';

const MESSAGES = { url: 'https://messages.test/', events: ['message'] };
const ALL = { url: 'https://all.test/', events: ['*'] };
const [messages = '', all = ''] = webhookEndpoints([MESSAGES, ALL], undefined).map(({ id }) => id);

async function setUp(webhooks: readonly WebhookConfig[] = [MESSAGES, ALL], global?: WebhookConfig) {
  const sessions = new MemorySessionStore();
  await sessions.create(sessionRow({ config: { webhooks: [...webhooks] } }));
  const world = { now: 1_000, lookups: 0, failing: false };
  const woken: { readonly wake: WebhookWake; readonly cause: string }[] = [];
  const timers: WebhookTimer[] = [];
  const counted = {
    get: async (name: string) => {
      world.lookups += 1;
      if (world.failing) throw new DependencyError('The table is away');
      return await sessions.get(name);
    },
  };
  const deps: WebhookFanoutDeps = {
    interest: new SessionInterest(counted, global, { monotonic: () => world.now }),
    queue: {
      wake: async (wakes) => {
        if (wakes.some(({ wake }) => wake.session === 'unlucky')) throw new DependencyError('The queue is away');
        woken.push(...wakes);
      },
      wakeAt: async (timer) => {
        timers.push(timer);
      },
    },
    clock: { now: () => world.now },
  };
  const run = (...bodies: readonly string[]) =>
    fanOut(
      bodies.map((body, index) => ({ id: `message ${index}`, body })),
      deps,
    );
  return {
    world,
    sessions,
    woken,
    timers,
    deps,
    run,
    again: (id: string, body: string) => fanOut([{ id, body }], deps),
  };
}

const event = (type: string, seq: number | undefined, session = 'alpha') =>
  JSON.stringify({ 'detail-type': type, detail: { id: `evt_${seq}`, session, ...(seq !== undefined && { seq }) } });
const timer = (dueAt: number, endpointId = messages) =>
  JSON.stringify({ timer: { session: 'alpha', endpointId, dueAt } });

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const traced = (seq: number, session = 'alpha') =>
  JSON.stringify({
    'detail-type': 'message',
    detail: { id: `evt_${seq}`, session, seq, traceparent: TRACEPARENT, payload: { body: 'secret text' } },
  });

describe('the handler of the fan-out', () => {
  it('wakes nobody for what the bus brings again from its archive', async () => {
    const { deps, woken } = await setUp();
    const again = JSON.stringify({ ...JSON.parse(event('message', 3)), 'replay-name': 'again-1' });
    const handler = createWebhookFanoutHandler({ ...deps, logger: createLogger({ name: 'test', level: 'silent' }) });
    expect(await handler(sqsEvent([again, event('message', 4)]))).toEqual({ batchItemFailures: [] });
    expect(woken.map(({ wake }) => wake.event?.seq)).toEqual([4, 4]);
  });

  it('says which events it was about, whether they have woken anybody or not', async () => {
    const { deps, woken, sessions } = await setUp([MESSAGES]);
    await sessions.create(sessionRow({ name: 'unlucky', config: { webhooks: [MESSAGES] } }));
    const destination = new LogLines();
    const logger = createLogger({ name: 'test', level: 'debug', destination });
    const handle = createWebhookFanoutHandler({ ...deps, logger });
    expect(await handle(sqsEvent([traced(1)]))).toEqual({ batchItemFailures: [] });
    expect(await handle(sqsEvent([traced(2, 'unlucky')]))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(await handle(sqsEvent(['{']))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(woken.map(({ wake }) => wake.event)).toEqual([{ id: 'evt_1', seq: 1, traceparent: TRACEPARENT }]);
    const known = { type: 'message', traceparent: TRACEPARENT };
    expect(destination.parsed).toMatchObject([
      { ...known, level: 'debug', msg: 'endpoints woken', event: 'evt_1', session: tag('alpha') },
      { ...known, level: 'warn', msg: 'endpoints not woken', event: 'evt_2', session: tag('unlucky') },
      { level: 'warn', msg: 'endpoints not woken', sqsMessageId: 'm0' },
    ]);
    expect(destination.texts.join('')).not.toMatch(/secret|alpha|unlucky/);
  });
});

describe('the fan-out', () => {
  it('wakes each endpoint that cares once for a batch, by its newest event', async () => {
    const { run, woken } = await setUp();
    const outcomes = await run(
      event('message', 2),
      event('message', 3),
      event('session.status', 4),
      event('message', 1),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['done', 'done', 'done', 'done']);
    expect(woken).toEqual([
      { wake: { session: 'alpha', endpointId: messages, event: { id: 'evt_3', seq: 3 } }, cause: 'evt_1 evt_2 evt_3' },
      { wake: { session: 'alpha', endpointId: all, event: { id: 'evt_4', seq: 4 } }, cause: 'evt_1 evt_2 evt_3 evt_4' },
    ]);
  });

  it('wakes by an event without its place rather than by one with it', async () => {
    const { run, woken } = await setUp([ALL]);
    await run(event('message', 2), event('message', undefined), event('message', 3));
    expect(woken.map(({ wake }) => wake.event)).toEqual([{ id: 'evt_undefined' }]);
  });

  it('wakes the installation’s own webhook too', async () => {
    const global = { url: 'https://global.test/', events: ['message'] };
    const { run, woken } = await setUp([], global);
    await run(event('message', 1), event('session.status', 2));
    expect(woken.map(({ wake }) => wake.endpointId)).toEqual([webhookEndpoints([], global)[0]?.id]);
  });

  it('wakes nobody for sessions that are deleted or unknown', async () => {
    const { run, woken, sessions } = await setUp();
    await sessions.intend('alpha', 'inc-1', { desired: 'DELETED' });
    await run(event('message', 1), event('message', 1, 'unknown'));
    expect(woken).toEqual([]);
  });

  it('looks a session up every two seconds at most, and again after a failure', async () => {
    const { run, world, sessions, woken } = await setUp([]);
    await run(event('message', 1), event('message', 2));
    await sessions.intend('alpha', 'inc-1', { config: { webhooks: [ALL] } });
    world.now += 1_999;
    await run(event('message', 3));
    expect([world.lookups, woken.length]).toEqual([1, 0]);
    world.now += 1;
    world.failing = true;
    expect((await run(event('message', 4))).map(({ status }) => status)).toEqual(['failed']);
    world.failing = false;
    await run(event('message', 4));
    expect(woken).toHaveLength(1);
  });

  it('wakes by timers whose time has come, and sets the others again', async () => {
    const { run, woken, timers } = await setUp();
    await run(timer(1_000), timer(1_001, all));
    expect(woken).toEqual([{ wake: { session: 'alpha', endpointId: messages, dueAt: 1_000 }, cause: 'message 0' }]);
    expect(timers).toEqual([{ session: 'alpha', endpointId: all, dueAt: 1_001 }]);
  });

  it('wakes by a timer rather than by an event, which says less', async () => {
    const { run, woken } = await setUp([ALL]);
    await run(event('message', 1), timer(1, all), timer(3, all), timer(2, all), event('message', 2));
    expect(woken.map(({ wake }) => wake)).toEqual([{ session: 'alpha', endpointId: all, dueAt: 3 }]);
  });

  it('is heard for what is new in a batch, though something in it has woken before', async () => {
    const { run, again, woken } = await setUp([ALL]);
    await again('message 0', timer(1, all));
    await run(timer(1, all), event('message', 1));
    await run(timer(1, all));
    const [first, second, third] = woken.map(({ cause }) => cause);
    expect(second).not.toBe(first);
    expect(third).toBe(first);
  });

  it('is heard for every timer, though one for the same time has come before', async () => {
    const { again, woken } = await setUp([ALL]);
    await again('message 1', timer(1, all));
    await again('message 2', timer(1, all));
    await again('message 2', timer(1, all));
    const [first, second, third] = woken.map(({ cause }) => cause);
    expect(second).not.toBe(first);
    expect(third).toBe(second);
  });

  it('tells which messages failed: unreadable ones, and all that were for whom the queue did not take', async () => {
    const { run, sessions } = await setUp();
    const outcomes = await run('{', '{"a":1}', event('message', 1), event('of.the.future', 2));
    expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'failed', 'done', 'done']);
    await sessions.create(sessionRow({ name: 'unlucky', config: { webhooks: [MESSAGES] } }));
    const others = await run(event('message', 1, 'unlucky'), event('session.status', 2, 'unlucky'));
    expect(others.map(({ status }) => status)).toEqual(['failed', 'done']);
  });
});
