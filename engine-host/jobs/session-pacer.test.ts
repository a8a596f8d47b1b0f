import { describe, expect, it, vi } from 'vitest';
import { type SendCommand, sendCommandSchema } from '#shared/contracts/commands.ts';
import { DAY, HOUR, MINUTE, type PacingRules, PROFILE_RULES } from '#shared/domain/pacing-profiles.ts';
import type { EngineEvent } from '../engines/engine.ts';
import { MemorySessionState } from '../engines/memory-session-state.ts';
import { SessionPacer } from './session-pacer.ts';

const START = Date.UTC(2026, 5, 1, 12);
const ME = { id: '4915112345678@c.us', lid: '99887766554433@lid' };
const ADA = '4915187654321@c.us';
const BOB = '4915187654322@c.us';
const GROUP = '120363041234567890@g.us';
const RULES: PacingRules = { ...PROFILE_RULES.safe, warmUp: false };

const text = (chatId: string, body = 'hello'): SendCommand =>
  sendCommandSchema.parse({ type: 'sendText', chatId, text: body });

function from(chatId: string, timestamp: number, changes: { fromMe?: boolean; lid?: string } = {}): EngineEvent {
  const payload = {
    id: `false_${chatId}_3EB0`,
    timestamp: timestamp / 1000,
    from: chatId,
    fromMe: changes.fromMe ?? false,
    source: 'app' as const,
    to: ME.id,
    participant: null,
    body: 'hi',
    hasMedia: false,
    media: null,
    ack: 1,
    ackName: 'SERVER',
    vCards: [],
    _data: { lid: changes.lid ?? null },
  };
  return { body: { event: 'message', payload }, key: payload.id, timestamp };
}

function createPacer(rules: PacingRules | null = RULES, state = new MemorySessionState(), row?: number) {
  const world = { now: START, rules, me: ME as typeof ME | null, reported: [] as number[], braked: [] as unknown[] };
  const open = (nextSendAt = row) =>
    new SessionPacer({
      state,
      clock: { now: () => world.now },
      random: () => 0.5,
      rules: () => world.rules,
      me: () => world.me,
      createdAt: START,
      nextSendAt,
      report: (at) => world.reported.push(at),
      braked: (_pause, found) => world.braked.push(found),
    });
  const pacer = open();
  /** Sends what is due, and says until when the rest waits. */
  const send = (command: SendCommand, parked = false, by = pacer) => {
    const turn = by.turn(command, parked);
    if (turn?.kind === 'now') turn.leave();
    return turn?.kind === 'later' ? turn : turn?.kind;
  };
  return { world, state, pacer, open, send };
}

describe('SessionPacer', () => {
  it('lets one leave, the next later, and says so in the row once per send', () => {
    const { world, send } = createPacer();
    expect(send(text(ADA))).toBe('now');
    expect(send(text(BOB, 'other'))).toMatchObject({
      kind: 'later',
      dueAt: START + 10_000,
      reason: 'gap',
      park: false,
    });
    expect(world.reported).toEqual([START + 10_000]);
    world.now = START + 10_000;
    expect(send(text(BOB, 'other'))).toBe('now');
    expect(world.reported).toHaveLength(2);
  });

  it('goes on where the owner before has left off', () => {
    const { send, open } = createPacer();
    send(text(ADA));
    expect(send(text(BOB), false, open())).toMatchObject({ dueAt: START + 10_000 });
  });

  it('believes the row where the state has lost the last send', () => {
    const { send, world } = createPacer(RULES, new MemorySessionState(), START + 9_000);
    expect(send(text(ADA))).toMatchObject({ kind: 'later', dueAt: START + 9_000, reason: 'gap' });
    world.now = START + 9_000;
    expect(send(text(ADA))).toBe('now');
  });

  it('does nothing at all when it is off', () => {
    const { send, world, state, pacer } = createPacer(null);
    const before = state.head;
    for (let count = 0; count < 50; count += 1) expect(send(text(ADA))).toBeUndefined();
    pacer.heard(from(ADA, START));
    expect(state.head).toBe(before);
    expect(world.reported).toEqual([]);
  });

  it('counts the account’s age from the session’s creation', () => {
    const { send, world } = createPacer({ ...RULES, warmUp: true });
    for (let count = 0; count < 20; count += 1) {
      world.now += MINUTE;
      expect(send(text(GROUP, `${count}`))).toBe('now');
    }
    world.now += MINUTE;
    expect(send(text(GROUP, 'more'))).toMatchObject({ reason: 'hour-cap' });
    world.now = START + 11 * DAY;
    for (let count = 0; count < 30; count += 1) {
      world.now += MINUTE;
      expect(send(text(GROUP, `${count}`))).toBe('now');
    }
  });

  it('answers people soon, by whichever id they are known', () => {
    const { send, pacer } = createPacer();
    pacer.heard(from(ADA, START, { lid: '1234567890123@lid' }));
    send(text(BOB));
    expect(send(text(ADA))).toMatchObject({ dueAt: START + 2_500 });
    expect(send(text('1234567890123@lid'))).toMatchObject({ dueAt: START + 2_500 });
    expect(send(text(ME.id))).toMatchObject({ dueAt: START + 2_500 });
  });

  it('takes neither own messages nor groups for people who have written', () => {
    const { send, pacer } = createPacer();
    pacer.heard(from(ADA, START, { fromMe: true }));
    pacer.heard(from(GROUP, START));
    send(text(BOB));
    expect(send(text(ADA))).toMatchObject({ dueAt: START + 10_000 });
    expect(send(text(GROUP))).toMatchObject({ dueAt: START + 10_000 });
  });

  it('writes down a chat that goes on writing only now and then', () => {
    const { state, pacer } = createPacer();
    pacer.heard(from(ADA, START));
    const { head } = state;
    for (let second = 1; second < 500; second += 1) pacer.heard(from(ADA, START + second * 1_000));
    expect(state.head).toBe(head);
    pacer.heard(from(ADA, START + HOUR));
    expect(state.head).toBeGreaterThan(head);
  });

  it('writes only what has changed', () => {
    const { state, pacer, send } = createPacer();
    pacer.heard(from(BOB, START));
    send(text(ADA));
    const written = vi.spyOn(state, 'append');
    pacer.heard(from(BOB, START + HOUR));
    expect(written.mock.calls[0]?.[0]).toHaveLength(1);
  });

  it('never holds back reactions, edits and deletions', () => {
    const { pacer, send } = createPacer();
    send(text(ADA));
    const message = { chatId: ADA, id: '3EB0AAAAAAAAAAAA', fromMe: true };
    for (const command of [
      { type: 'sendReaction', chatId: ADA, message, reaction: '👍' },
      { type: 'editMessage', chatId: ADA, message, text: 'x' },
      { type: 'deleteMessage', chatId: ADA, message },
    ]) {
      expect(pacer.turn(sendCommandSchema.parse(command), false)).toBeUndefined();
    }
  });

  it('starts afresh for another account, and not for the same one', () => {
    const { send, world, open } = createPacer();
    send(text(ADA));
    world.me = { id: '4915100000000@c.us', lid: '1@lid' };
    expect(send(text(ADA), false, open())).toBe('now');
  });

  it('calls back when the rules change or the awaited chat writes, once', () => {
    const { send, world, pacer } = createPacer();
    const sooner = vi.fn();
    send(text(ADA));
    expect(send(text(ADA))).toMatchObject({ reason: 'chat-gap' });
    pacer.onceSooner(sooner);
    pacer.rulesChanged();
    pacer.heard(from(BOB, START));
    expect(sooner).not.toHaveBeenCalled();
    pacer.heard(from(ADA, START));
    expect(sooner).toHaveBeenCalledTimes(1);
    pacer.onceSooner(sooner);
    world.rules = null;
    pacer.rulesChanged();
    pacer.rulesChanged();
    expect(sooner).toHaveBeenCalledTimes(2);
  });
});

describe('SessionPacer after a refusal', () => {
  it('keeps away from strangers for a day, then for two, on whichever host', () => {
    const { pacer, open, world, send } = createPacer();
    expect(pacer.refused()).toMatchObject({ strikes: 1, until: START + DAY });
    expect(pacer.refused()).toBeUndefined();
    world.now = START + HOUR;
    const next = open();
    expect(send(text(ADA), false, next)).toMatchObject({ dueAt: START + DAY, reason: 'restricted', park: true });
    next.heard(from(ADA, world.now));
    expect(send(text(ADA), false, next)).toBe('now');
    world.now = START + 3 * DAY;
    expect(next.refused()).toMatchObject({ strikes: 2, until: START + 5 * DAY });
  });

  it('lets strangers line up behind those that wait, until these have left', () => {
    const { pacer, send, world } = createPacer();
    pacer.refused();
    expect(send(text(ADA))).toMatchObject({ park: true });
    world.now = START + DAY;
    expect(send(text(BOB))).toMatchObject({ park: true });
    expect(send(text(ADA), true)).toBe('now');
    world.now += 10_000;
    expect(send(text(BOB), true)).toBe('now');
    world.now += HOUR;
    expect(send(text('4915187654323@c.us'))).toBe('now');
  });
});

describe('SessionPacer while too little is delivered', () => {
  const sent = (chatId: string, id: string): EngineEvent => {
    const { body, ...rest } = from(chatId, START, { fromMe: true });
    if (body.event !== 'message') throw new Error('not a message');
    const payload = { ...body.payload, id: `true_${chatId}_${id}`, source: 'api' as const, from: ME.id, to: chatId };
    return { ...rest, body: { event: 'message.any', payload } };
  };
  const delivered = (id: string, ack = 2): EngineEvent => ({
    body: {
      event: 'message.ack',
      payload: {
        id: `true_1234567890123@lid_${id}`,
        from: ME.id,
        to: ADA,
        participant: null,
        fromMe: true,
        ack,
        ackName: 'DEVICE',
      },
    },
    key: id,
    timestamp: START,
  });
  /** Fifty messages, so many of them delivered, and one more an hour later. */
  function campaign(share: number, rules = RULES, chatId = ADA) {
    const scene = createPacer(rules);
    for (let count = 0; count < 50; count += 1) {
      scene.pacer.heard(sent(chatId, `3EB0AAAA${count}`));
      scene.pacer.heard(delivered(`3EB0AAAA${count}`, count < share ? 2 : 1));
    }
    expect(scene.world.braked).toEqual([]);
    scene.world.now += HOUR;
    scene.pacer.heard(sent(chatId, '3EB0AAAALAST'));
    return scene;
  }

  it('opens no conversations for a day, tells so once, and so does the next owner', () => {
    const { world, send, open, pacer } = campaign(29);
    expect(world.braked).toEqual([{ delivered: 29, sends: 50 }]);
    const pause = { cause: 'undelivered', strikes: 1, until: world.now + DAY };
    expect(pacer.untoldPause).toMatchObject(pause);
    const next = open();
    expect(next.untoldPause).toMatchObject(pause);
    expect(send(text(BOB), false, next)).toMatchObject({ reason: 'restricted', dueAt: world.now + DAY });
    next.heard(sent(ADA, '3EB0AAAAMORE'));
    expect(world.braked).toHaveLength(1);
    expect(next.refused()).toBeUndefined();
    world.now += DAY;
    pacer.heard(sent(ADA, '3EB0AAAAMORE'));
    expect(world.braked).toHaveLength(1);
  });

  it('goes on where enough arrives, in groups, with itself, and where it is switched off', () => {
    for (const { world, pacer } of [
      campaign(30),
      campaign(0, RULES, GROUP),
      campaign(0, RULES, ME.id),
      campaign(0, { ...RULES, deliveryBrake: false }),
    ]) {
      expect(world.braked).toEqual([]);
      expect(pacer.untoldPause).toBeUndefined();
    }
  });
});
