import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { Receiver } from '#test/chaos/webhooks/receivers.ts';
import { BenchWorld, type PairedSession } from '../bench-world.ts';
import { Contact } from '../contact.ts';
import { atMost, type FigureSheet, median, rounded, spread } from '../figure-sheet.ts';
import { LoadClient } from '../load-client.ts';

const PACE_MS = 50;
const TIMEOUT_MS = 120_000;
const ENDPOINTS = 10;
const CONTACTS = 5;
const GOAL_PER_SECOND = 250;
/** A second on a laptop. */
const GATEWAY_REMEMBERS_MS = 1_100;

export interface WebhookLoad {
  /** Messages at 20 a second to one endpoint. */
  readonly paced: number;
  /** Messages at once, to ten endpoints. */
  readonly burst: number;
  /** Keys, each with one request that is the first in a minute and one that is not. */
  readonly requests: number;
}

const bodySchema = z.object({ payload: z.object({ body: z.string() }) });
const textOf = (raw: string) => bodySchema.parse(JSON.parse(raw)).payload.body;

/** From a contact's message to a receiver of webhooks, and what the authorizer adds to a request. */
export async function measureWebhooks(sheet: FigureSheet, load: WebhookLoad): Promise<void> {
  // The functions run in the launcher's process, which inherits this.
  process.env.WEBHOOK_ALLOW_PRIVATE_HOSTS = '127.0.0.1';
  const world = await BenchWorld.start();
  const receivers = await Promise.all(
    Array.from({ length: ENDPOINTS }, (_, index) => new Receiver(`r${index}`).start()),
  );
  try {
    const session = await world.pair('hooked');
    const contacts: Contact[] = [];
    for (let index = 0; index < CONTACTS; index += 1) {
      contacts.push(await Contact.create(world.whatsapp, `Contact ${index}`));
    }
    await measurePaced(sheet, world, session, receivers.slice(0, 1), contacts.slice(0, 1), load.paced);
    await measureBurst(sheet, world, session, receivers, contacts, load.burst);
    await measureAuthorizer(sheet, world, load.requests);
  } finally {
    for (const receiver of receivers) await receiver.stop();
    await world.stop();
  }
}

async function measurePaced(
  sheet: FigureSheet,
  world: BenchWorld,
  session: PairedSession,
  receivers: readonly Receiver[],
  [contact]: readonly Contact[],
  count: number,
): Promise<void> {
  const [receiver] = receivers;
  if (receiver === undefined || contact === undefined) throw new Error('There is nobody to write and nobody to hear.');
  await configure(world, session, receivers);
  const sentAt = new Map<string, number>();
  const send = async (name: string, messages: number) => {
    const start = performance.now();
    const sending: Promise<unknown>[] = [];
    for (let index = 0; index < messages; index += 1) {
      await delay(Math.max(0, start + index * PACE_MS - performance.now()));
      const text = `${name} ${index}`;
      sentAt.set(text, performance.timeOrigin + performance.now());
      sending.push(contact.send(session.phone, text));
    }
    await Promise.all(sending);
  };
  await send('warm', 20);
  // Whose configuration is new waits for two seconds at most, until the fan-out looks at it again; that is not what is measured.
  await untilTexts(receivers, 20);
  await send('paced', count);
  await untilTexts(receivers, count + 20);
  const samples = receiver.posts.flatMap(({ at, raw }) => {
    const text = textOf(raw);
    return text.startsWith('paced') ? [at - (sentAt.get(text) ?? Number.NaN)] : [];
  });
  const times = spread(samples);
  sheet.add({ figure: 'inbound to webhook receiver', unit: 'ms', ...times, ...atMost(40, times.p50, 'ms p50') });
}

async function measureBurst(
  sheet: FigureSheet,
  world: BenchWorld,
  session: PairedSession,
  receivers: readonly Receiver[],
  contacts: readonly Contact[],
  count: number,
): Promise<void> {
  await configure(world, session, receivers);
  await Promise.all(contacts.map((contact) => contact.send(session.phone, `to all ${contact.phone}`)));
  await untilArrived(receivers, (text) => text.startsWith('to all'), contacts.length);
  await Promise.all(
    contacts.map(async (contact) => {
      for (let index = 0; index < count / contacts.length; index += 1) {
        await contact.send(session.phone, `burst ${contact.phone} ${index}`);
      }
    }),
  );
  await untilArrived(receivers, (text) => text.startsWith('burst'), count);
  const at = receivers.flatMap(({ posts }) =>
    posts.flatMap((post) => (textOf(post.raw).startsWith('burst') ? [post.at] : [])),
  );
  const perSecond = rounded((1000 * at.length) / (Math.max(...at) - Math.min(...at)), 0);
  sheet.add({
    figure: `webhook deliveries, ${ENDPOINTS} endpoints`,
    unit: 'per second',
    n: at.length,
    value: perSecond,
    goal: `>= ${GOAL_PER_SECOND}`,
    met: perSecond >= GOAL_PER_SECOND,
  });
}

/**
 * Of two requests that do next to nothing: one that needs no key, and one with a key that the gateway does not remember. Once
 * a minute it is noted that a key was used; so there is a figure for requests that have this done, and one for all others.
 */
async function measureAuthorizer(sheet: FigureSheet, world: BenchWorld, requests: number): Promise<void> {
  const keySchema = z.object({ key: z.string() });
  const keys: string[] = [];
  for (let index = 0; index < requests; index += 1) {
    const body = { isAdmin: false, isActive: true, session: null, actions: { read: true } };
    keys.push(keySchema.parse(await world.api.call('POST', '/api/keys', body)).key);
  }
  for (const which of ['first of a key in a minute', 'all others']) {
    await delay(GATEWAY_REMEMBERS_MS);
    const open: number[] = [];
    const guarded: number[] = [];
    for (const key of keys) {
      const client = new LoadClient(world.platform.url, key);
      // The connection is not what is measured.
      await client.call('GET', '/ping');
      open.push(await timeOf(() => client.call('GET', '/ping')));
      guarded.push(await timeOf(() => client.call('GET', '/api/server/version')));
      client.close();
    }
    const overhead = rounded(median(guarded) - median(open), 2);
    sheet.add({
      figure: `authorizer overhead, ${which}`,
      unit: 'ms',
      n: requests,
      value: overhead,
      ...atMost(3, overhead, 'ms'),
      details: { withoutKey: rounded(median(open), 2), withKey: rounded(median(guarded), 2) },
    });
  }
}

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

async function configure(world: BenchWorld, session: PairedSession, receivers: readonly Receiver[]): Promise<void> {
  const webhooks = receivers.map(({ url }) => ({ url, events: ['message'], hmac: { key: 'bench' } }));
  await world.configure(session.name, { webhooks });
}

async function untilTexts(receivers: readonly Receiver[], count: number): Promise<void> {
  await untilArrived(receivers, () => true, count);
}

async function untilArrived(
  receivers: readonly Receiver[],
  isCounted: (text: string) => boolean,
  count: number,
): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  const isComplete = ({ posts }: Receiver) => posts.filter(({ raw }) => isCounted(textOf(raw))).length >= count;
  while (!receivers.every(isComplete)) {
    if (performance.now() > deadline) throw new Error('Not all deliveries have arrived.');
    await delay(50);
  }
}
