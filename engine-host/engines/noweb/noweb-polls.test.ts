import { describe, expect, test } from 'vitest';
import { type EngineHarness, eventually } from '../engine-harness.ts';
import { useNowebWorld } from './noweb-world.ts';

const world = useNowebWorld();
const OPTIONS = ['now', 'later', 'never'];

/** The votes a session has told of so far, once there are so many. */
const votes = (harness: EngineHarness, count: number) =>
  eventually(`${count} votes`, () => {
    const told = harness.events.flatMap(({ body }) =>
      body.event === 'poll.vote' || body.event === 'poll.vote.failed' ? [body] : [],
    );
    return told.length >= count ? told : undefined;
  });
const selections = (told: Awaited<ReturnType<typeof votes>>) =>
  told.map(({ event, payload }) => [event, ...payload.vote.selectedOptions]);

describe('votes on polls', () => {
  test('on a poll of ours: the whole selection each time, with phone number and LID', async () => {
    const { harness, phone: own, run } = await world.paired();
    const { phone, chatId, lid } = world.contact('Voter');
    const job = harness.job('poll');
    await run({ type: 'sendPoll', chatId, name: 'When?', options: OPTIONS, multipleAnswers: true }, job);
    await world.simulator.inbox(phone, { waitMs: 5_000 });
    // The read model has not heard of it yet.
    harness.sent.clear();
    const ids: string[] = [];
    for (const options of [['later'], ['now', 'never'], []]) {
      ids.push((await world.simulator.send(phone, { to: own, vote: { id: job.messageId, options } })).id);
    }
    const told = await votes(harness, 3);
    expect(selections(told)).toEqual([['poll.vote', 'later'], ['poll.vote', 'now', 'never'], ['poll.vote']]);
    expect(told[0]?.payload).toEqual({
      vote: {
        id: `false_${chatId}_${ids[0]}`,
        from: chatId,
        to: `${own}@c.us`,
        fromMe: false,
        selectedOptions: ['later'],
        timestamp: expect.closeTo(Date.now() / 1000, -2),
      },
      poll: { id: `true_${chatId}_${job.messageId}`, from: `${own}@c.us`, to: chatId, fromMe: true },
      _data: { lid: `${lid}@lid` },
    });
    expect(harness.events.filter(({ body }) => body.event === 'message')).toEqual([]);
  });

  test.each(['lid', 'pn'] as const)(
    'in a group that is addressed by %s, of a member and of our own phone',
    async (addressing) => {
      const { harness, phone: own } = await world.paired();
      const [ann, ben] = [world.contact(`Ann votes by ${addressing}`), world.contact(`Ben votes by ${addressing}`)];
      const { simulator } = world;
      const participants = [own, ben.phone];
      const { id: group } = simulator.createGroup({ owner: ann.phone, subject: 'Vote', participants, addressing });
      await harness.event('group.v2.join');
      const { id } = await simulator.send(ann.phone, { to: group, poll: { name: 'When?', options: OPTIONS } });
      for (const phone of [ben.phone, own]) await simulator.inbox(phone, { waitMs: 5_000 });
      await simulator.send(ben.phone, { to: group, vote: { id, options: ['later'] } });
      await simulator.send(own, { to: group, vote: { id, options: ['now'] } });
      const told = await votes(harness, 2);
      expect(selections(told)).toEqual([
        ['poll.vote', 'later'],
        ['poll.vote', 'now'],
      ]);
      const poll = { id: `false_${group}_${id}_${ann.chatId}`, from: group, fromMe: false, participant: ann.chatId };
      expect(told.map(({ payload }) => payload)).toMatchObject([
        { vote: { from: group, fromMe: false, participant: ben.chatId }, poll, _data: { lid: `${ben.lid}@lid` } },
        { vote: { to: group, fromMe: true, participant: `${own}@c.us` }, poll },
      ]);
    },
  );

  test('the secret outlives the host that received the poll, and one that could not publish the vote', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone, chatId } = world.contact('Patient Voter');
    const { id } = await world.simulator.send(phone, { to: own, poll: { name: 'When?', options: OPTIONS } });
    await harness.event('message');
    await harness.engine.stop();
    const second = world.session({}, { state: harness.state, publish: () => {} });
    second.engine.start();
    await second.reaches('WORKING');
    await world.simulator.send(phone, { to: own, vote: { id, options: ['never'] } });
    await votes(second, 1);
    await second.engine.stop();
    const third = world.session({}, { state: harness.state });
    third.engine.start();
    const [told] = await votes(third, 1);
    expect(told).toMatchObject({
      event: 'poll.vote',
      payload: { vote: { selectedOptions: ['never'] }, poll: { id: `false_${chatId}_${id}` } },
    });
  });

  test('on a poll that only the read model has', async () => {
    const { harness, phone: own, run } = await world.paired();
    const { phone, chatId } = world.contact('Late Voter');
    const job = harness.job('old-poll');
    await run({ type: 'sendPoll', chatId, name: 'When?', options: OPTIONS, multipleAnswers: false }, job);
    await world.simulator.inbox(phone, { waitMs: 5_000 });
    harness.state.append(harness.state.keys('poll/').map((key) => ({ key, value: null })));
    await world.simulator.send(phone, { to: own, vote: { id: job.messageId, options: ['now'] } });
    expect(selections(await votes(harness, 1))).toEqual([['poll.vote', 'now']]);
  });

  test('that cannot be read: the poll is unknown, or its secret another', async () => {
    const { harness, phone: own, run } = await world.paired();
    const { phone, chatId } = world.contact('Odd Voter');
    const pollCreationMessageKey = { remoteJid: `${own}@s.whatsapp.net`, fromMe: true, id: '3EB0UNKNOWN' };
    const vote = { encPayload: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=', encIv: 'AAAAAAAAAAAAAAAA' };
    await world.simulator.send(phone, { to: own, raw: { pollUpdateMessage: { pollCreationMessageKey, vote } } });
    const job = harness.job('poll');
    await run({ type: 'sendPoll', chatId, name: 'When?', options: OPTIONS, multipleAnswers: false }, job);
    const known = { ...pollCreationMessageKey, fromMe: false, id: job.messageId };
    const wrong = { pollUpdateMessage: { pollCreationMessageKey: known, vote } };
    await world.simulator.send(phone, { to: own, raw: wrong });
    // Who votes on nothing must not get stuck either.
    await world.simulator.send(phone, { to: own, raw: { pollUpdateMessage: { vote } } });
    await world.simulator.send(phone, { to: own, raw: { reactionMessage: { text: '?' } } });
    await world.simulator.send(phone, { to: own, text: 'after them' });
    await harness.event('message');
    const told = await votes(harness, 2);
    expect(selections(told)).toEqual([['poll.vote.failed'], ['poll.vote.failed']]);
    expect(told.map(({ payload }) => payload.poll.id)).toEqual([
      `false_${chatId}_3EB0UNKNOWN`,
      `true_${chatId}_${job.messageId}`,
    ]);
    await eventually('an empty inbox', () => harness.state.keys('inbox/').length === 0 || undefined);
  });
});
