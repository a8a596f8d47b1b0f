import { getEventListeners } from 'node:events';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryEventBus } from '#shared/adapters/memory/memory-event-bus.ts';
import { type EventBody, type EventEnvelope, eventEnvelopeSchema } from '#shared/contracts/events.ts';
import { NotOwnerError } from '#shared/domain/errors.ts';
import type { IgnoredKinds } from '#shared/domain/ignored-chats.ts';
import { waMessage } from '#test/contracts/rows.ts';
import type { Mark } from '../engines/engine.ts';
import { MemorySessionState } from '../engines/memory-session-state.ts';
import { ManualLease } from '../host/manual-lease.ts';
import { EventOutlet } from './event-outlet.ts';
import { EventPublisher } from './event-publisher.ts';
import { seqsOfState } from './seq-counter.ts';

class GatedState extends MemorySessionState {
  gate: Promise<void> = Promise.resolve();
  override async durable(_mark?: Mark): Promise<void> {
    await this.gate;
  }
}

const logger = pino({ level: 'silent' });

function createOutlet(
  publisher: EventPublisher,
  session = 'alpha',
  state = new GatedState(),
  lease = new ManualLease(),
  incarnation = 'one',
  createdAt = 0,
  ignore: IgnoredKinds = {},
) {
  const outlet = new EventOutlet({
    session: { name: session, incarnation },
    engine: 'SCRIPTED',
    version: '1.2.3',
    hostId: 'host-1',
    publicUrl: 'https://wa.example.com/v1',
    seqs: seqsOfState(state, createdAt),
    durable: () => state.durable(state.head),
    lane: publisher.lane(lease),
    me: () => ({ id: '4915112345678@c.us', pushName: 'Ann', lid: null, jid: null }),
    metadata: () => ({ team: 'red' }),
    ignore: () => ignore,
  });
  const emit = (key: string, timestamp = 1_000) =>
    outlet.emit({ body: { event: 'presence.update', payload: { id: key, presences: [] } }, key, timestamp });
  return { outlet, emit, lease, state };
}

const ids = (events: readonly EventEnvelope[], session = 'alpha') =>
  events.flatMap((event) => (event.session === session && event.event === 'presence.update' ? [event.payload.id] : []));

/** One event of each kind that happens in a chat. */
function bodiesIn(chat: string): EventBody[] {
  const sent = { ...waMessage({ id: 'AAAAAA' }), fromMe: true, from: 'me@c.us', to: chat };
  const came = { ...waMessage({ id: 'AAAAAB' }), fromMe: false, from: chat, to: 'me@c.us' };
  const group = { timestamp: 1, group: { id: chat }, _data: {} };
  const vote = { id: 'x', from: chat, to: 'me@c.us', fromMe: false, timestamp: 1, selectedOptions: [] };
  const reaction = { text: '👍', messageId: 'x' };
  return [
    { event: 'message', payload: came },
    { event: 'message.any', payload: sent },
    { event: 'message.waiting', payload: came },
    { event: 'message.edited', payload: { ...came, editedMessageId: 'x' } },
    { event: 'message.reaction', payload: { ...came, reaction } },
    { event: 'message.ack.group', payload: sent },
    { event: 'message.revoked', payload: { revokedMessageId: 'x', chatId: chat, before: null, after: null } },
    { event: 'poll.vote', payload: { vote, poll: { id: 'y', from: 'me@c.us', to: chat, fromMe: true } } },
    { event: 'presence.update', payload: { id: chat, presences: [] } },
    { event: 'chat.archive', payload: { id: chat, archived: true, timestamp: 1, _data: {} } },
    { event: 'label.chat.added', payload: { labelId: '1', chatId: chat, label: null, _data: {} } },
    { event: 'group.v2.leave', payload: group },
    { event: 'group.v2.participants', payload: { ...group, type: 'join', participants: [] } },
  ];
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'hrtime'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('EventOutlet', () => {
  it('puts the envelope around an event; the same happening has the same id', async () => {
    const bus = new MemoryEventBus();
    const { outlet, emit } = createOutlet(new EventPublisher(bus, logger));
    emit('one');
    emit('two', 2_000);
    emit('one');
    await outlet.drained();
    const [first, second, again] = bus.events.map((event) => eventEnvelopeSchema.parse(event));
    expect(first).toMatchObject({
      timestamp: 1_000,
      session: 'alpha',
      metadata: { team: 'red' },
      me: { pushName: 'Ann' },
      engine: 'SCRIPTED',
      environment: { version: '1.2.3', engine: 'SCRIPTED', tier: 'TRUNKLINE', worker: { id: 'host-1' } },
      event: 'presence.update',
      payload: { id: 'one' },
      seq: 1,
    });
    expect(again?.id).toBe(first?.id);
    expect(second?.id).not.toBe(first?.id);
    expect(bus.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('gives an event the trace of its job, and one that no job has made a trace of its own, the same each time', async () => {
    const bus = new MemoryEventBus();
    const { outlet, emit } = createOutlet(new EventPublisher(bus, logger));
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    const payload = waMessage({ id: 'AAAAAA' });
    outlet.emit({ body: { event: 'message.any', payload }, key: 'sent', timestamp: 1, traceparent });
    outlet.emit({ body: { event: 'message', payload }, key: 'came', timestamp: 1 });
    outlet.emit({ body: { event: 'message.any', payload }, key: 'came', timestamp: 1 });
    emit('one');
    emit('one');
    emit('two');
    await outlet.drained();
    const other = createOutlet(new EventPublisher(bus, logger), 'alpha', new GatedState(), new ManualLease(), 'two');
    other.emit('one');
    await other.outlet.drained();
    const [sent, came, cameAny, one, again, two, later] = bus.events.map((event) => event.traceparent);
    expect(sent).toBe(traceparent);
    for (const own of [came, one, two, later]) expect(own).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect([cameAny, again]).toEqual([came, one]);
    expect(new Set([sent, came, one, two, later]).size).toBe(5);
  });

  it('names media by an address that can be opened, the same each time', async () => {
    const bus = new MemoryEventBus();
    const { outlet } = createOutlet(new EventPublisher(bus, logger));
    const s3 = { Bucket: 'media', Key: 'files/alpha/a.jpg' };
    const media = { url: '/api/files/alpha/a.jpg', mimetype: 'image/jpeg', filename: null, s3, error: null };
    const payload = waMessage({ id: 'AAAAAA', media });
    for (let told = 0; told < 2; told += 1) {
      outlet.emit({ body: { event: 'message', payload }, key: 'one', timestamp: 1_000 });
    }
    await outlet.drained();
    const [event, again] = bus.events.map((one) => eventEnvelopeSchema.parse(one));
    const url = 'https://wa.example.com/v1/api/files/alpha/a.jpg';
    expect(event?.payload).toMatchObject({ media: { url }, mediaUrl: url });
    expect(again).toEqual({ ...event, seq: 2 });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 9e15])(
    'gives the bus a time that it can take, not %d',
    async (timestamp) => {
      const bus = new MemoryEventBus();
      const { outlet, emit } = createOutlet(new EventPublisher(bus, logger));
      emit('one', timestamp);
      await outlet.drained();
      const [event] = bus.events.map((one) => eventEnvelopeSchema.parse(one));
      expect(() => new Date(event?.timestamp ?? Number.NaN).toISOString()).not.toThrow();
    },
  );

  it.each(bodiesIn('1203630001@g.us'))('does not tell of an ignored chat: $event', async (body) => {
    const bus = new MemoryEventBus();
    const publisher = new EventPublisher(bus, logger);
    const { outlet } = createOutlet(publisher, 'alpha', new GatedState(), new ManualLease(), 'one', 0, {
      groups: true,
    });
    const published = vi.fn();
    outlet.emit({ body, key: 'one', timestamp: 1_000 }, published);
    expect(published).toHaveBeenCalledOnce();
    for (const other of bodiesIn('4915100000001@c.us').filter(({ event }) => event === body.event)) {
      outlet.emit({ body: other, key: 'two', timestamp: 1_000 });
    }
    await vi.advanceTimersByTimeAsync(100);
    await outlet.drained();
    expect(bus.events.map(({ event, seq }) => [event, seq])).toEqual([[body.event, 1]]);
  });

  it('gives the same happening another id in a later session of the same name', async () => {
    const bus = new MemoryEventBus();
    const publisher = new EventPublisher(bus, logger);
    for (const incarnation of ['one', 'two']) {
      const { outlet, emit } = createOutlet(publisher, 'alpha', new GatedState(), new ManualLease(), incarnation);
      emit('same');
      await outlet.drained();
    }
    expect(bus.events.map(({ seq, session }) => [session, seq])).toEqual([
      ['alpha', 1],
      ['alpha', 1],
    ]);
    expect(bus.events[0]?.id).not.toBe(bus.events[1]?.id);
  });

  it('begins to count at the creation of the session, so that a later one of the name goes on above', async () => {
    const bus = new MemoryEventBus();
    const publisher = new EventPublisher(bus, logger);
    for (const createdAt of [1_700_000_000_000, 1_700_000_005_000]) {
      const { outlet, emit } = createOutlet(publisher, 'alpha', new GatedState(), new ManualLease(), 'one', createdAt);
      for (let count = 0; count < 3; count += 1) emit(`e${count}`);
      await outlet.drained();
    }
    const three = (start: number) => [start + 1, start + 2, start + 3];
    expect(bus.events.map(({ seq }) => seq)).toEqual([...three(1_700_000_000_000), ...three(1_700_000_005_000)]);
  });

  it('never uses a number again, not even after a crash that lost what was not durable', async () => {
    const bus = new MemoryEventBus();
    const state = new GatedState();
    const before = createOutlet(new EventPublisher(bus, logger), 'alpha', state);
    for (let count = 0; count < 2_500; count += 1) before.emit(`e${count}`);
    await before.outlet.drained();
    const after = createOutlet(new EventPublisher(bus, logger), 'alpha', state);
    after.emit('after');
    await after.outlet.drained();
    const seqs = bus.events.map(({ seq }) => seq);
    expect(seqs).toHaveLength(2_501);
    expect(seqs.every((seq, index) => index === 0 || seq > (seqs[index - 1] ?? 0))).toBe(true);
    expect(seqs.at(-1)).toBe(3_001);
  });

  it('tells who handed an event over that the bus has it, once, and not while it has not', async () => {
    const bus = new MemoryEventBus();
    const { outlet } = createOutlet(new EventPublisher(bus, logger));
    const published = vi.fn();
    vi.spyOn(bus, 'publish').mockRejectedValueOnce(new Error('throttled'));
    outlet.emit(
      { body: { event: 'presence.update', payload: { id: 'one', presences: [] } }, key: 'one', timestamp: 1_000 },
      published,
    );
    const drained = outlet.drained();
    await vi.waitFor(() => expect(bus.publish).toHaveBeenCalledOnce());
    expect(published).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_000);
    await drained;
    expect(published).toHaveBeenCalledOnce();
    expect(bus.events).toHaveLength(1);
  });

  it('publishes only when the state that an event comes with is durable', async () => {
    const bus = new MemoryEventBus();
    const { outlet, emit, state } = createOutlet(new EventPublisher(bus, logger));
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    emit('one');
    state.gate = Promise.resolve();
    emit('two');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(bus.events).toEqual([]);
    gate.resolve();
    await outlet.drained();
    expect(ids(bus.events)).toEqual(['one', 'two']);
  });

  it('publishes nothing of a session whose state was lost', async () => {
    const bus = new MemoryEventBus();
    const { outlet, emit, state } = createOutlet(new EventPublisher(bus, logger));
    state.gate = Promise.reject(new NotOwnerError('fenced'));
    emit('one');
    await expect(outlet.drained()).rejects.toThrow(NotOwnerError);
    expect(bus.events).toEqual([]);
  });
});

describe('EventPublisher', () => {
  it('forgets a lane that was closed, once it is empty', async () => {
    const bus = new MemoryEventBus();
    const publisher = new EventPublisher(bus, logger);
    const lease = new ManualLease();
    const listeners = () => getEventListeners(lease.ended, 'abort').length;
    const before = listeners();
    const { outlet, emit } = createOutlet(publisher, 'alpha', new GatedState(), lease);
    emit('one');
    outlet.close();
    expect(listeners()).toBe(before + 1);
    await outlet.drained();
    await vi.waitFor(() => expect(listeners()).toBe(before));
    expect(ids(bus.events)).toEqual(['one']);
  });

  it('gathers acks of many sessions into one call; everything else goes at once', async () => {
    const bus = new MemoryEventBus();
    const publish = vi.spyOn(bus, 'publish');
    const publisher = new EventPublisher(bus, logger);
    const outlets = ['alpha', 'beta', 'gamma'].map((session) => createOutlet(publisher, session));
    const payload = { id: 'x', from: 'a', to: 'b', participant: null, fromMe: true, ack: 2, ackName: 'DEVICE' };
    const ack = (of: number) =>
      outlets[of]?.outlet.emit({ body: { event: 'message.ack', payload }, key: `${of}`, timestamp: 1 });
    for (const index of [0, 1, 2]) {
      ack(index);
      await vi.advanceTimersByTimeAsync(5);
    }
    expect(publish).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(10);
    expect(publish.mock.calls.map(([events]) => events.length)).toEqual([3]);
    ack(0);
    await vi.advanceTimersByTimeAsync(5);
    outlets[0]?.emit('message');
    await vi.advanceTimersByTimeAsync(0);
    expect(publish.mock.calls.map(([events]) => events.length)).toEqual([3, 2]);
  });

  it('puts at most ten events into a call and keeps the order of each session', async () => {
    const bus = new MemoryEventBus();
    const publish = vi.spyOn(bus, 'publish');
    const publisher = new EventPublisher(bus, logger);
    const outlets = ['alpha', 'beta', 'gamma'].map((session) => createOutlet(publisher, session));
    for (let count = 0; count < 25; count += 1) for (const { emit } of outlets) emit(`e${count}`);
    await Promise.all(outlets.map(({ outlet }) => outlet.drained()));
    const expected = Array.from({ length: 25 }, (_, count) => `e${count}`);
    for (const session of ['alpha', 'beta', 'gamma']) expect(ids(bus.events, session)).toEqual(expected);
    const sizes = publish.mock.calls.map(([events]) => events.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
    expect(sizes.length).toBeLessThan(75);
    expect(publisher.figures).toEqual({ waiting: 0, published: 75 });
  });

  it('repeats a call that failed, with nothing overtaking it', async () => {
    const bus = new MemoryEventBus();
    bus.refuse('call');
    const { outlet, emit } = createOutlet(new EventPublisher(bus, logger));
    emit('one');
    await vi.advanceTimersByTimeAsync(60_000);
    emit('two');
    bus.refuse('none');
    await vi.advanceTimersByTimeAsync(10_000);
    await outlet.drained();
    expect(ids(bus.events)).toEqual(['one', 'two']);
  });

  it('repeats only the entries that were refused', async () => {
    const bus = new MemoryEventBus();
    bus.refuse((event) => event.seq === 2);
    const { outlet, emit } = createOutlet(new EventPublisher(bus, logger));
    for (const key of ['one', 'two', 'three']) emit(key);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ids(bus.events)).toEqual(['one', 'three']);
    bus.refuse('none');
    await vi.advanceTimersByTimeAsync(10_000);
    await outlet.drained();
    expect(ids(bus.events)).toEqual(['one', 'three', 'two']);
  });

  it('does not let one session’s refusals hold up another', async () => {
    const bus = new MemoryEventBus();
    bus.refuse((event) => event.session === 'alpha');
    const publisher = new EventPublisher(bus, logger);
    const alpha = createOutlet(publisher, 'alpha');
    const beta = createOutlet(publisher, 'beta');
    for (const key of ['one', 'two']) for (const { emit } of [alpha, beta]) emit(key);
    await vi.advanceTimersByTimeAsync(0);
    expect(ids(bus.events, 'beta')).toEqual(['one', 'two']);
    alpha.lease.end();
  });

  it('publishes nothing while the lease is suspended, and drops everything when it ends', async () => {
    const bus = new MemoryEventBus();
    const publisher = new EventPublisher(bus, logger);
    const { outlet, emit, lease } = createOutlet(publisher);
    lease.suspend();
    emit('one');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(bus.events).toEqual([]);
    lease.resume();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ids(bus.events)).toEqual(['one']);
    bus.refuse('call');
    emit('two');
    await vi.advanceTimersByTimeAsync(100);
    lease.end();
    await expect(outlet.drained()).rejects.toThrow(NotOwnerError);
    expect(publisher.figures.waiting).toBe(0);
    bus.refuse('none');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ids(bus.events)).toEqual(['one']);
  });
});
