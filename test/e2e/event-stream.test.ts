import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LoggedEventBus } from '#engine-host/host/logged-event-bus.ts';
import { until } from '#localstack/demo/until.ts';
import { type AwsClients, createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbEventLog } from '#shared/adapters/dynamodb-event-log.ts';
import { DynamoDbStreamStore } from '#shared/adapters/dynamodb-stream-store.ts';
import { EventBridgeEventBus } from '#shared/adapters/event-bridge-event-bus.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import { apiKeySchema } from '#shared/contracts/api/keys.ts';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import { eventId } from '#shared/domain/event-id.ts';
import { seeded } from '#test/chaos/random.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { type RunningPlatform, runPlatform } from '#test/support/running-platform.ts';
import { addContact, type SimulatedContact } from '#test/support/simulated-contact.ts';
import { StreamClient } from '#test/support/stream-client.ts';

const CUTS = 50;
/** Messages on their way while a stream is cut. */
const AHEAD = 40;

let running: RunningPlatform;
let clients: AwsClients;
let bus: LoggedEventBus;
let streams: DynamoDbStreamStore;
let ada: SimulatedContact;
const phones = new Map<string, string>();

beforeAll(async () => {
  running = await runPlatform();
  const { names } = running.platform;
  clients = createAwsClients({ pathStyle: true });
  const media = new S3MediaStore(clients.s3, names.buckets.media);
  const log = new DynamoDbEventLog(clients.dynamo, media, { tableName: names.tables.eventLog });
  bus = new LoggedEventBus(log, new EventBridgeEventBus(clients.eventBridge, media, names.bus));
  streams = new DynamoDbStreamStore(clients.dynamo, names.tables.streams);
  for (const session of ['alpha', 'beta']) phones.set(session, await running.pair(session));
  ada = await addContact(running, 'Ada');
});
afterAll(async () => {
  if (clients !== undefined) destroyAwsClients(clients);
  await running?.stop();
});

const open = (query: readonly (readonly [string, string])[], key: string | undefined = running.platform.apiKey) =>
  StreamClient.open(running.platform.url, key, query);
const opened = async (query: readonly (readonly [string, string])[], key?: string): Promise<StreamClient> => {
  const client = await open(query, key);
  if (typeof client === 'number') throw new Error(`The stream was refused with ${client}.`);
  return client;
};
const textOf = (event: EventEnvelope) => (event.event === 'message' ? event.payload.body : undefined);

let lastSeq = Date.now();
/** An event of a session that no host runs, logged and told as a host does. */
async function publish(session: string, body: string): Promise<EventEnvelope> {
  lastSeq += 1;
  const id = eventId({ name: session, incarnation: 'one' }, 'message', Date.now(), String(lastSeq));
  const payload = waMessage({ id: `AAAAA${lastSeq}`, body });
  const event = eventEnvelope({ event: 'message', payload }, { id, session, seq: lastSeq, timestamp: Date.now() });
  expect(await bus.publish([event])).toEqual([]);
  return event;
}

/** How far the one stream of a session has come. */
async function cursorOf(session: string): Promise<number | undefined> {
  const [connectionId = ''] = await streams.readersOf(session);
  return await streams.cursor(connectionId, session);
}

async function keyWith(body: object): Promise<{ readonly key: string; revoke(): Promise<unknown> }> {
  const { id, key } = apiKeySchema.parse(await running.api.post('/api/keys', body));
  return { key, revoke: () => running.api.raw('DELETE', `/api/keys/${id}`) };
}

/** Messages from a contact until it is told to stop, a few ahead of what was `seen`. */
function startTraffic(sessions: readonly string[], seen: () => number) {
  const sent = new Map<string, string[]>(sessions.map((session) => [session, []]));
  let isOver = false;
  const run = async () => {
    for (let count = 0; !isOver; count += 1) {
      const isWanted = () => isOver || count < seen() + AHEAD;
      await until('a place for a message', async () => (isWanted() ? true : undefined), 120_000);
      const session = sessions[count % sessions.length] ?? '';
      const text = `${session} ${count}`;
      await ada.send(phones.get(session) ?? '', { text });
      sent.get(session)?.push(text);
    }
  };
  const done = run();
  return {
    sent,
    stop: async () => {
      isOver = true;
      await done;
    },
  };
}

describe('a stream that is cut again and again', () => {
  it.each([
    ['one session', ['alpha'], [['session', 'alpha']]],
    [
      'all sessions',
      ['alpha', 'beta'],
      [
        ['session', '*'],
        ['events', 'message'],
        ['events', 'session.status'],
      ],
    ],
  ] as const)(
    'misses nothing and has nothing twice: %s',
    async (_what, sessions, query) => {
      const random = seeded(7);
      const had: EventEnvelope[] = [];
      const last = new Map<string, string>();
      const round = async (enough: (client: StreamClient) => boolean) => {
        const client = await opened([...query, ...[...last.values()].map((id) => ['since', id] as const)]);
        if (last.size === 0) started();
        await until('events on the stream', async () => (enough(client) ? true : undefined), 60_000);
        client.cut();
        for (const event of client.events) {
          had.push(event);
          last.set(event.session, event.id);
        }
      };
      const begin = Promise.withResolvers<void>();
      const started = () => begin.resolve();
      const traffic = begin.promise.then(() =>
        startTraffic(sessions, () => had.filter(({ event }) => event === 'message').length),
      );
      // Every session has an event to go on after.
      await round(({ events }) => sessions.every((name) => events.some(({ session }) => session === name)));
      for (let cut = 1; cut < CUTS; cut += 1) {
        const wanted = Math.floor(random.between(0, 6));
        await round(({ events }) => events.length >= wanted);
      }
      const { sent, stop } = await traffic;
      await stop();
      const all = [...sent.values()].flat();
      await round((client) => {
        const texts = new Set([...had, ...client.events].map(textOf));
        return all.every((text) => texts.has(text));
      });
      expect(all.length).toBeGreaterThan(CUTS);
      for (const [session, texts] of sent) {
        const ofSession = had.filter((event) => event.session === session);
        expect(ofSession.map(textOf).filter((text) => text !== undefined)).toEqual(texts);
        const seqs = ofSession.map(({ seq }) => seq);
        expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      }
      expect(new Set(had.map(({ id }) => id)).size).toBe(had.length);
    },
    600_000,
  );
});

describe('the receiver of the README', () => {
  it('has what contacts write', async () => {
    const page = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const program = /```js\n(\/\/ stream\.mjs[\s\S]*?)```/.exec(page)?.[1] ?? '';
    const before = new Set(await streams.readersOf('alpha'));
    const receiver = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      env: { URL: running.platform.url, KEY: running.platform.apiKey },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    receiver.stdout.on('data', (text) => {
      said += text;
    });
    try {
      await until('its stream', async () => (await streams.readersOf('alpha')).find((id) => !before.has(id)));
      await ada.send(phones.get('alpha') ?? '', { text: 'to the receiver' });
      await until('the text', async () => (said.includes(`alpha ${ada.chatId} to the receiver\n`) ? true : undefined));
    } finally {
      receiver.kill();
    }
  });
});

describe('a stream', () => {
  it('has the events that were asked for, of the sessions that were asked for', async () => {
    const stream = await opened([
      ['session', 'one,two'],
      ['events', 'message.ack'],
      ['events', 'message'],
    ]);
    await publish('other', 'not asked for');
    const events = [await publish('one', 'first'), await publish('two', 'second'), await publish('one', 'third')];
    await stream.untilEvents(3);
    const byId = (all: readonly EventEnvelope[]) => [...all].sort((a, b) => a.seq - b.seq);
    expect(byId(stream.events)).toEqual(events);
    stream.cut();
    const acks = await opened([
      ['session', 'one'],
      ['events', 'message.ack'],
      ['since', events[0]?.id ?? ''],
    ]);
    await until('the turn of the stream', async () => ((await cursorOf('one')) === events[2]?.seq ? true : undefined));
    expect(acks.events).toEqual([]);
    acks.cut();
  });

  it('takes the key from the query, and begins with what comes', async () => {
    await publish('query', 'before');
    const stream = await opened(
      [
        ['session', 'query'],
        ['x-api-key', running.platform.apiKey],
      ],
      '',
    );
    const event = await publish('query', 'after');
    await stream.untilEvents(1);
    expect(stream.events).toEqual([event]);
    stream.cut();
  });

  it('goes on in other sessions where the named one was', async () => {
    await publish('left', 'old');
    const had = await publish('right', 'had');
    const missed = await publish('left', 'missed');
    const stream = await opened([
      ['session', 'left'],
      ['session', 'right'],
      ['since', had.id],
    ]);
    await until('what was missed', async () => stream.events.find(({ id }) => id === missed.id));
    expect(stream.events.map(({ id }) => id)).not.toContain(had.id);
    stream.cut();
  });

  it('has large events elsewhere', async () => {
    const stream = await opened([['session', 'large']]);
    const whole = await publish('large', 'x'.repeat(150_000));
    const reference = await until('the event', async () => stream.references[0]);
    expect(reference.id).toBe(whole.id);
    expect(await (await fetch(reference.href)).json()).toEqual(whole);
    stream.cut();
  });

  it('is for those with a key', async () => {
    await running.api.post('/api/sessions', { name: 'mine', start: false });
    const { key } = await keyWith({ session: 'mine', actions: { read: true } });
    const { key: sends } = await keyWith({ actions: { send: true } });
    expect(await open([['session', 'mine']], 'wrong')).toBe(401);
    expect(await open([['session', 'mine']], '')).toBe(401);
    expect(await open([['session', 'mine']], sends)).toBe(403);
    expect(await open([['session', 'theirs']], key)).toBe(403);
    expect(await open([['session', 'no name']])).toBe(400);
    expect(await open([['since', 'no id']])).toBe(400);
    const stream = await opened([['session', '*']], key);
    await publish('theirs', 'secret');
    const event = await publish('mine', 'own');
    await stream.untilEvents(1);
    expect(stream.events).toEqual([event]);
    stream.cut();
  });

  it('ends with its key', async () => {
    const { key, revoke } = await keyWith({ actions: { read: true } });
    const stream = await opened([['session', 'watched']], key);
    await publish('watched', 'first');
    await stream.untilEvents(1);
    await revoke();
    await publish('watched', 'second');
    await stream.untilClosed();
    expect(stream.endedBy).toBe('key-revoked');
    expect(stream.events).toHaveLength(1);
    expect(await open([['session', 'watched']], key)).toBe(401);
  });

  it('ends at once where nobody knows what it is to go on after', async () => {
    const id = eventId({ name: 'gone', incarnation: 'one' }, 'message', Date.now(), 'never logged');
    const stream = await opened([
      ['session', 'gone'],
      ['since', id],
    ]);
    await stream.untilClosed();
    expect(stream.endedBy).toBe('since-unknown');
  });

  it('is cut when nobody reads it, and goes on with `since`', async () => {
    const stream = await opened([['session', 'flood']]);
    const first = await publish('flood', 'first');
    await stream.untilEvents(1);
    stream.socket.pause();
    const sent: string[] = [];
    for (let count = 0; count < 150; count += 1)
      sent.push((await publish('flood', `${count} ${'x'.repeat(120_000)}`)).id);
    await until(
      'the end of the stream',
      async () => ((await streams.readersOf('flood')).length === 0 ? true : undefined),
      60_000,
    );
    stream.socket.resume();
    await stream.untilClosed();
    expect(stream.events.length).toBeLessThan(1 + sent.length);
    const again = await opened([
      ['session', 'flood'],
      ['since', first.id],
    ]);
    await again.untilEvents(sent.length);
    expect(again.events.map(({ id }) => id)).toEqual(sent);
    again.cut();
  }, 120_000);
});
