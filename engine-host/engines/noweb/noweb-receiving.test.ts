import { describe, expect, test, vi } from 'vitest';
import { ACKS } from '#shared/domain/message-ack.ts';
import type { SyncInput } from '#test/simulator/admin-requests.ts';
import type { EngineEvent } from '../engine.ts';
import { eventually, type HarnessOptions, type TestJob } from '../engine-harness.ts';
import { loadCreds } from './auth-creds.ts';
import { MarkedState } from './marked-state.ts';
import { chatOf, runCommand, useNowebWorld } from './noweb-world.ts';

const world = useNowebWorld();

const POLL = { timeout: 10_000, interval: 20 };
const ROLE_AFTER = { join: 'participant', promote: 'admin', demote: 'participant', leave: 'left' } as const;
const pendingOf = (phone: string) =>
  world.simulator
    .accounts()
    .find((account) => account.phone === phone)
    ?.devices.reduce((sum, { pending }) => sum + pending, 0);

/** A session that was linked some time ago: changes during its first synchronisations count as what was there before. */
async function settled(harnessOptions: HarnessOptions = {}) {
  const { harness: first, phone } = await world.paired();
  await eventually('a synchronisation', () => loadCreds(new MarkedState(first.state)).accountSyncCounter || undefined);
  await first.engine.stop();
  const harness = world.session({}, { ...harnessOptions, state: first.state });
  harness.engine.start();
  await harness.reaches('WORKING');
  return { harness, phone };
}

describe('receiving', () => {
  test('replies, locations, reactions, edits and deletions', async () => {
    const { harness, phone: own, run } = await world.paired();
    const { phone, chatId, lid } = world.contact('Talker');
    const job = harness.job('opening');
    await run({ type: 'sendText', chatId, text: 'hello' }, job);
    await world.simulator.inbox(phone, { waitMs: 5_000 });
    const { simulator } = world;
    const { id } = await simulator.send(phone, { to: own, text: 'reply', quoted: job.messageId });
    await simulator.send(phone, { to: own, location: { latitude: 1.5, longitude: 2.5, name: 'there' } });
    await simulator.send(phone, { to: own, reaction: { id: job.messageId, text: '❤️' } });
    await simulator.send(phone, { to: own, edit: { id, text: 'edited reply' } });
    await simulator.send(phone, { to: own, revoke: id });
    const revoked = await harness.event('message.revoked');
    expect(revoked.body.payload).toMatchObject({ revokedMessageId: id, chatId, after: { fromMe: false } });
    expect((await harness.event('message')).body.payload).toMatchObject({
      body: 'reply',
      replyTo: { id: job.messageId, body: 'hello' },
    });
    expect((await harness.event('message.reaction')).body.payload).toMatchObject({
      from: chatId,
      reaction: { text: '❤️', messageId: `true_${chatId}_${job.messageId}` },
      _data: { lid: `${lid}@lid` },
    });
    const edited = await harness.event('message.edited');
    expect(edited.body.payload).toMatchObject({ editedMessageId: id, body: 'edited reply', from: chatId });
    const place = harness.events.find(({ body }) => JSON.stringify(body).includes('"there"'));
    expect(place?.body.payload).toMatchObject({ location: { latitude: '1.5', longitude: '2.5' } });
  });

  test('what the owner writes on the phone is `message.any` only', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone, chatId } = world.contact('Pen Friend');
    const { id } = await world.simulator.send(own, { to: phone, text: 'from my phone' });
    const { body } = await harness.event('message.any');
    expect(body.payload).toMatchObject({ id: `true_${chatId}_${id}`, fromMe: true, source: 'app', to: chatId });
    expect(harness.events.filter(({ body: each }) => each.event === 'message')).toEqual([]);
  });

  test('acks follow a message of ours from delivery to reading', async () => {
    const { harness, run } = await world.paired();
    const { phone, chatId, lid } = world.contact('Reader');
    const job = harness.job('read-me');
    await run({ type: 'sendText', chatId, text: 'read me' }, job);
    await harness.event('message.ack', ({ body }) => JSON.stringify(body).includes('DEVICE'));
    world.simulator.read(phone, { to: harness.status?.status === 'WORKING' ? harness.status.me.id : '' });
    const read = await harness.event('message.ack', ({ body }) => JSON.stringify(body).includes('READ'));
    const _data = { lid: `${lid}@lid` };
    expect(read.body.payload).toMatchObject({ id: `true_${chatId}_${job.messageId}`, to: chatId, ack: 3, _data });
  });

  test('the trace of a job is that of its message and of the acks, which come at another host or after its death', async () => {
    const { harness, phone: own } = await settled({ publish: () => {} });
    const { phone, chatId } = world.contact('Late reader');
    const jobs = ['traced', 'not traced', 'traced too'].map((name) => harness.job(name));
    for (const job of jobs) {
      if (job.jobId.startsWith('not')) job.traceparent = undefined;
      await runCommand(harness, { type: 'sendText', chatId, text: job.jobId }, job);
    }
    const tracesOf = (events: readonly EngineEvent[], message: TestJob, kind: string) =>
      events
        .filter(({ body, key }) => key.includes(message.messageId) && JSON.stringify(body).includes(kind))
        .map(({ traceparent }) => traceparent);
    const untilTold = (events: readonly EngineEvent[], kinds: readonly string[]) =>
      vi.waitFor(() => {
        for (const kind of kinds) {
          for (const job of jobs) expect(tracesOf(events, job, kind), kind).toEqual([job.traceparent]);
        }
      }, POLL);
    await untilTold(harness.events, ['"message.any"', '"DEVICE"']);
    await harness.engine.stop();
    const again = world.session({}, { state: harness.state });
    again.engine.start();
    await again.reaches('WORKING');
    world.simulator.read(phone, { to: own });
    await untilTold(again.events, ['"message.any"', '"DEVICE"', '"READ"']);
  });

  test('what the owner does on the phone: chats archived, labels, chats labelled', async () => {
    const { harness, phone: own } = await settled();
    const { phone, chatId } = world.contact('Lead');
    const sync = (request: SyncInput) => world.simulator.sync(own, request);
    const lead = { id: '7', name: 'Lead', color: 1, colorHex: '#64c4ff' };
    await sync({ label: { id: '7', name: 'Lead', color: 1 } });
    await sync({ labelChat: { id: '7', chat: phone, labeled: true } });
    await sync({ archive: { chat: phone, archived: true } });
    expect((await harness.event('label.upsert')).body.payload).toEqual(lead);
    const labelled = { labelId: '7', chatId, label: lead };
    expect((await harness.event('label.chat.added')).body.payload).toMatchObject(labelled);
    expect((await harness.event('chat.archive')).body.payload).toEqual({
      id: chatId,
      archived: true,
      timestamp: expect.closeTo(Date.now() / 1000, -2),
      _data: { lid: null },
    });
    await sync({ archive: { chat: phone, archived: false } });
    await harness.event('chat.archive', ({ body }) => body.event === 'chat.archive' && !body.payload.archived);
    await sync({ labelChat: { id: '7', chat: phone, labeled: false } });
    expect((await harness.event('label.chat.deleted')).body.payload).toMatchObject(labelled);
    await sync({ label: { id: '7', name: '', deleted: true } });
    expect((await harness.event('label.deleted')).body.payload).toEqual({ ...lead, color: 0, colorHex: '#ff9485' });
    await eventually('the label to be forgotten', () => harness.state.keys('label/').length === 0 || undefined);
  });

  test('a change on the phone outlives a host that dies before the bus has it', async () => {
    const { harness, phone: own } = await settled({ publish: () => {} });
    const { phone } = world.contact('Archived before the death');
    await world.simulator.sync(own, { archive: { chat: phone, archived: true } });
    const told = await harness.event('chat.archive');
    await harness.engine.stop();
    const again = world.session({}, { state: harness.state });
    again.engine.start();
    const repeated = await again.event('chat.archive');
    expect([repeated.key, repeated.timestamp, repeated.body]).toEqual([told.key, told.timestamp, told.body]);
  });

  test('what Baileys says is told to whoever has asked for it, and to nobody else', async () => {
    const asked = await world.paired({}, { config: { debug: true } });
    const unasked = await world.paired();
    const { phone } = world.contact('Raw');
    for (const session of [asked, unasked]) {
      await world.simulator.send(phone, { to: session.phone, text: 'raw' });
      await session.harness.event('message');
    }
    const raw = await asked.harness.event('engine.event', ({ body }) => JSON.stringify(body).includes('"raw"'));
    expect(raw.body.payload).toMatchObject({ event: 'messages.upsert', data: { messages: [{}] } });
    expect(unasked.harness.events.filter(({ body }) => body.event === 'engine.event')).toEqual([]);
  });

  test('typing is an event', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone, chatId, lid } = world.contact('Typist');
    // Its stanza names both addresses; that of the typing does not.
    await world.simulator.send(phone, { to: own, text: 'first' });
    await harness.event('message');
    world.simulator.typing(phone, { to: own, state: 'composing' });
    expect((await harness.event('presence.update')).body.payload).toMatchObject({
      id: chatId,
      presences: [{ participant: chatId, lid: `${lid}@lid`, lastKnownPresence: 'typing' }],
    });
  });

  test('a group: being added, who comes and goes, being removed', async () => {
    const { harness, phone: own } = await world.paired();
    const [ann, ben] = [world.contact('Ann of the group'), world.contact('Ben of the group')];
    const { simulator } = world;
    const { id } = simulator.createGroup({ owner: ann.phone, subject: 'Garden', participants: [own] });
    const { body: joined } = await harness.event('group.v2.join');
    expect(joined.payload).toMatchObject({
      timestamp: expect.any(Number),
      group: { id, subject: 'Garden', description: '', membersCanSendMessages: true, membersCanAddNewMember: false },
      _data: { author: ann.chatId, lid: `${ann.lid}@lid`, change: 'create' },
    });
    expect(joined.payload).toMatchObject({
      group: {
        participants: [
          { id: `${ann.lid}@lid`, pn: ann.chatId, lid: `${ann.lid}@lid`, role: 'superadmin' },
          { pn: `${own}@c.us`, role: 'participant' },
        ],
      },
    });
    const change = (kind: 'add' | 'promote' | 'demote' | 'remove', ...participants: string[]) =>
      simulator.changeGroup({ id, actor: ann.phone, change: kind, participants });
    change('add', ben.phone);
    change('promote', ben.phone);
    change('demote', ben.phone);
    change('remove', ben.phone, own);
    await harness.event('group.v2.leave');
    const seen = await eventually('the last change of the members', () => {
      const changes = harness.events.flatMap(({ body }) =>
        body.event === 'group.v2.participants' ? [body.payload] : [],
      );
      return changes.length === 4 ? changes : undefined;
    });
    expect(seen.map(({ type, participants }) => [type, participants])).toEqual(
      (['join', 'promote', 'demote', 'leave'] as const).map((type) => [
        type,
        [{ id: `${ben.lid}@lid`, pn: ben.chatId, lid: `${ben.lid}@lid`, role: ROLE_AFTER[type] }],
      ]),
    );
  });

  test('ignored groups: nothing is told of them, and what is sent there is readable by all of its members', async () => {
    const { harness, phone: own, run } = await world.paired({}, { config: { ignore: { groups: true } } });
    const [ann, ben] = [world.contact('Ann of the ignored'), world.contact('Ben of the ignored')];
    const { simulator } = world;
    await run({ type: 'sendText', chatId: ann.chatId, text: 'hello' });
    await simulator.send(ann.phone, { to: own, text: 'hello back' });
    await harness.event('message');
    const { id } = simulator.createGroup({ owner: ann.phone, subject: 'Ignored', participants: [own] });
    const chatId = chatOf(id);
    await simulator.send(ann.phone, { to: id, text: 'to all' });
    const read = (phone: string, text: string) =>
      expect.poll(async () => (await simulator.inbox(phone)).map((entry) => entry.text), POLL).toContain(text);
    // Ann cannot read it, and asks for it again.
    simulator.forgetSessions(ann.phone);
    await run({ type: 'sendText', chatId, text: 'again for Ann' });
    await read(ann.phone, 'again for Ann');
    simulator.changeGroup({ id, actor: ann.phone, change: 'add', participants: [ben.phone] });
    await eventually('every stanza to be acknowledged', () => pendingOf(own) === 0 || undefined);
    await run({ type: 'sendText', chatId, text: 'to Ben, too' });
    await read(ben.phone, 'to Ben, too');
    await simulator.send(ann.phone, { to: own, text: 'the last' });
    await harness.event('message', ({ body }) => JSON.stringify(body).includes('the last'));
    const told = harness.events.filter(({ body }) => JSON.stringify(body.payload).includes(id));
    // Of what is sent there the events are left out where all of them pass.
    const ofSends = ({ body, key }: EngineEvent) =>
      body.event === 'message.any' || key.endsWith(`@c.us_${ACKS.SERVER}`);
    expect(told.filter((event) => !ofSends(event))).toEqual([]);
  });

  test('calls: received, accepted elsewhere, rejected, given up by the caller', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone, chatId } = world.contact('Caller');
    const { simulator } = world;
    const video = simulator.call(phone, { to: own, video: true });
    const { body } = await harness.event('call.received');
    expect(body.payload).toMatchObject({ id: video.id, from: chatId, isVideo: true, isGroup: false });
    simulator.call(phone, { to: own, id: video.id, step: 'accept' });
    expect((await harness.event('call.accepted')).body.payload).toMatchObject({ id: video.id, isVideo: true });
    // Its end is no news: somebody has taken it.
    simulator.call(phone, { to: own, id: video.id, step: 'terminate' });
    const refused = simulator.call(phone, { to: own });
    simulator.call(phone, { to: own, id: refused.id, step: 'reject' });
    const missed = simulator.call(phone, { to: own });
    simulator.call(phone, { to: own, id: missed.id, step: 'timeout' });
    const ends = await eventually('both ends', () => {
      const rejected = harness.events.flatMap(({ body: each }) =>
        each.event === 'call.rejected' ? [each.payload] : [],
      );
      return rejected.length === 2 ? rejected : undefined;
    });
    expect(ends).toMatchObject([
      { id: refused.id, isVideo: false, _data: { status: 'reject' } },
      { id: missed.id, _data: { status: 'timeout' } },
    ]);
    await eventually('every stanza to be acknowledged', () => pendingOf(own) === 0 || undefined);
  });

  test('a call and a change of a group outlive a host that dies before the bus has them', async () => {
    // Nothing gets onto the bus.
    const { harness, phone: own } = await world.paired({}, { publish: () => {} });
    const ann = world.contact('Ann before the death');
    const { simulator } = world;
    const { id } = simulator.createGroup({ owner: ann.phone, subject: 'Late', participants: [own] });
    const ring = simulator.call(ann.phone, { to: own, video: true });
    await harness.event('call.received');
    await eventually('every stanza to be acknowledged', () => pendingOf(own) === 0 || undefined);
    await harness.engine.stop();
    const again = world.session({}, { state: harness.state });
    again.engine.start();
    expect((await again.event('group.v2.join')).body.payload).toMatchObject({ group: { id, subject: 'Late' } });
    const repeated = await again.event('call.received');
    expect(repeated.key).toBe((await harness.event('call.received')).key);
    await again.reaches('WORKING');
    simulator.call(ann.phone, { to: own, id: ring.id, step: 'terminate' });
    expect((await again.event('call.rejected')).body.payload).toMatchObject({ id: ring.id, isVideo: true });
  });

  test('messages of the time offline come in order, before newer ones', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone } = world.contact('Night Writer');
    await world.simulator.send(phone, { to: own, text: 'zero' });
    await harness.event('message');
    await harness.engine.stop();
    const texts = ['one', 'two', 'three', 'four'];
    for (const text of texts) await world.simulator.send(phone, { to: own, text });
    const again = world.session({}, { state: harness.state });
    again.engine.start();
    await again.reaches('WORKING');
    await world.simulator.send(phone, { to: own, text: 'five' });
    await again.event('message', ({ body }) => JSON.stringify(body).includes('five'));
    const bodies = again.events.flatMap(({ body }) => (body.event === 'message' ? [body.payload.body] : []));
    expect(bodies).toEqual([...texts, 'five']);
  });
});
