import { describe, expect, test, vi } from 'vitest';
import type { EngineEvent } from '../engine.ts';
import { EngineHarness } from '../engine-harness.ts';
import { createNowebEngineFactory } from './noweb-engine-factory.ts';
import { useNowebWorld } from './noweb-world.ts';
import { pack } from './packed-json.ts';

const world = useNowebWorld();
/** Ten short messages fill it. */
const LIMITS = { session: 12 * 1024, host: 1024 * 1024 };
const MESSAGES = 40;

/** A bus that takes nothing until it is told to. */
class Outage {
  readonly waiting: (() => void)[] = [];
  over = false;

  readonly publish = (_: EngineEvent, published: () => void): void => {
    if (this.over) queueMicrotask(published);
    else this.waiting.push(published);
  };

  end(): void {
    this.over = true;
    for (const published of this.waiting.splice(0)) published();
  }
}

const textsOf = ({ events }: EngineHarness) =>
  events.flatMap(({ body }) => (body.event === 'message' ? [body.payload.body] : []));
const inboxOf = ({ state }: EngineHarness) => state.keys('inbox/').length;
const texts = Array.from({ length: MESSAGES }, (_, index) => `text ${index}`);

describe('while the bus is down', () => {
  test('a bounded number is taken; the rest stays with WhatsApp and comes in order when the bus is back', async () => {
    const bus = new Outage();
    const { harness, phone: own } = await world.paired({ inboxLimits: LIMITS, blipMs: 50 }, { publish: bus.publish });
    const { phone } = world.contact('Talkative');
    for (const text of texts) await world.simulator.send(phone, { to: own, text });
    await vi.waitFor(() => expect(harness.status).toEqual({ status: 'STARTING', reason: 'events-waiting' }), 10_000);
    expect(inboxOf(harness)).toBeGreaterThan(2);
    expect(inboxOf(harness)).toBeLessThan(MESSAGES / 2);
    bus.end();
    await harness.reaches('WORKING');
    await vi.waitFor(() => expect(new Set(textsOf(harness)).size).toBe(MESSAGES), 10_000);
    expect(textsOf(harness)).toEqual(texts);
    await vi.waitFor(() => expect(inboxOf(harness)).toBe(0), 10_000);
  });

  test('the next host takes what is left, and no more', async () => {
    const bus = new Outage();
    const options = { inboxLimits: LIMITS, blipMs: 50 };
    const { harness, phone: own } = await world.paired(options, { publish: bus.publish });
    const { phone } = world.contact('Patient');
    for (const text of texts) await world.simulator.send(phone, { to: own, text });
    await vi.waitFor(() => expect(harness.status?.status).toBe('STARTING'), 10_000);
    await harness.engine.stop();
    const held = inboxOf(harness);
    const still = new Outage();
    const next = world.session(options, { state: harness.state, session: harness.session, publish: still.publish });
    next.engine.start();
    await vi.waitFor(() => expect(next.status).toEqual({ status: 'STARTING', reason: 'events-waiting' }), 10_000);
    expect(inboxOf(next)).toBe(held);
    const kept = textsOf(next);
    still.end();
    await vi.waitFor(() => expect(textsOf(next).at(-1)).toBe(texts.at(-1)), 10_000);
    expect(kept).toEqual(texts.slice(0, kept.length));
    expect(textsOf(next)).toEqual(texts);
  });
});

test('what cannot be made into events holds nothing up, however much it is', async () => {
  const { harness, phone: own } = await world.paired();
  const { phone } = world.contact('Steady');
  await harness.engine.stop();
  for (let number = 0; number < 100; number += 1) {
    const broken = pack({ kind: 'report', content: Uint8Array.of(255, 255) });
    harness.state.append([{ key: `inbox/${(1_000 + number).toString(36)}`, value: broken }]);
  }
  const next = world.session({ inboxLimits: LIMITS }, { state: harness.state });
  next.engine.start();
  await world.simulator.send(phone, { to: own, text: 'all the same' });
  await vi.waitFor(() => expect(textsOf(next)).toEqual(['all the same']), 10_000);
  expect(inboxOf(next)).toBeGreaterThanOrEqual(100);
});

test('what one session has left is no other’s burden once it is gone', async () => {
  const bus = new Outage();
  const { harness, phone: own } = await world.paired({ inboxLimits: LIMITS, blipMs: 50 }, { publish: bus.publish });
  const { phone } = world.contact('Leaver');
  for (const text of texts) await world.simulator.send(phone, { to: own, text });
  await vi.waitFor(() => expect(harness.status?.status).toBe('STARTING'), 10_000);
  await harness.engine.stop();
  const host = createNowebEngineFactory({
    whatsappUrl: world.simulator.wsUrl,
    whatsappRootKey: world.simulator.rootKey,
    reconnect: { baseMs: 10, maxMs: 50 },
    blipMs: 50,
    inboxLimits: { session: 1024 * 1024, host: LIMITS.session },
  });
  const there = { state: harness.state, session: harness.session };
  const first = new EngineHarness(host, { ...there, publish: new Outage().publish });
  first.engine.start();
  await vi.waitFor(() => expect(first.status).toMatchObject({ reason: 'events-waiting' }), 10_000);
  await first.engine.stop();
  const second = new EngineHarness(host, there);
  second.engine.start();
  await vi.waitFor(() => expect(textsOf(second)).toEqual(texts), 10_000);
  await second.engine.stop();
});

test('media of a backlog is fetched a few at a time, and each chat keeps its order', async () => {
  const image = {
    data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkAAIAAAoAAv/lxKUAAAAASUVORK5CYII=',
  };
  const { harness, phone: own } = await world.paired({ mediaDownloads: 2 });
  await harness.engine.stop();
  const contacts = Array.from({ length: 8 }, (_, index) => world.contact(`Painter ${index}`));
  for (const { phone } of contacts) {
    await world.simulator.send(phone, { to: own, image: { ...image, mimetype: 'image/png' } });
    await world.simulator.send(phone, { to: own, text: 'after it' });
  }
  const next = world.session({ mediaDownloads: 2 }, { state: harness.state });
  const exists = next.media.exists.bind(next.media);
  const put = next.media.put.bind(next.media);
  let [running, most] = [0, 0];
  vi.spyOn(next.media, 'exists').mockImplementation((key) => {
    running += 1;
    most = Math.max(most, running);
    return exists(key);
  });
  vi.spyOn(next.media, 'put').mockImplementation(async (...args) => {
    await put(...args);
    running -= 1;
  });
  next.engine.start();
  const heard = () => next.events.filter(({ body }) => body.event === 'message');
  await vi.waitFor(() => expect(heard()).toHaveLength(16), 10_000);
  expect(most).toBe(2);
  for (const { chatId } of contacts) {
    const bodies = heard().flatMap(({ body }) =>
      body.event === 'message' && body.payload.from === chatId ? [body.payload] : [],
    );
    expect(bodies.map(({ hasMedia }) => hasMedia)).toEqual([true, false]);
  }
});
