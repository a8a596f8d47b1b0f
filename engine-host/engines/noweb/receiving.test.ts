import { EventEmitter } from 'node:events';
import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { EngineEvent } from '../engine.ts';
import { MemorySessionState } from '../memory-session-state.ts';
import { Inbound } from './inbound.ts';
import { InboxBudget } from './inbox-budget.ts';
import { MarkedState } from './marked-state.ts';
import { chatOf } from './noweb-world.ts';
import { Receiving } from './receiving.ts';

const OWN = { id: '4915199999999:1@s.whatsapp.net', lid: '99999999999:1@lid' };
const ME = chatOf('4915199999999');
const [ADA, ADA_LID] = ['4915100000001@s.whatsapp.net', '77777777777@lid'];
const [MINE, OTHER] = ['3EB0AAAAAA', '3EB0BBBBBB'];

afterEach(() => vi.useRealTimers());

/** One run of a session on what the runs before it have left in `state`. */
function run(state: MemorySessionState, publish = true) {
  const marked = new MarkedState(state);
  marked.hasten();
  const events: EngineEvent[] = [];
  const lookUps = {
    me: () => ME,
    lookUpOther: async (jid: string) => (jid === ADA_LID ? ADA : undefined),
    now: () => 0,
  };
  const inbound = new Inbound({
    ...lookUps,
    otherAddress: () => undefined,
    findSecret: async () => undefined,
    ownJids: () => [],
    storeMedia: async () => null,
    emit: (event, published) => {
      events.push(event);
      if (publish) published();
    },
    logger: pino({ level: 'silent' }),
  });
  const receiving = new Receiving({
    state: marked,
    share: new InboxBudget({ session: 1e6, host: 1e6 }).open(),
    inbound,
    acks: { answered: () => {}, proven: () => {} },
    receipts: lookUps,
    logger: pino({ level: 'silent' }),
    now: () => 0,
    addresses: () => OWN,
    contentOf: async () => undefined,
    ignores: () => false,
    groupChanged: () => {},
  });
  const connect = () => {
    const ws = new EventEmitter();
    receiving.listen({ ws }, () => {});
    return ws;
  };
  const ws = connect();
  receiving.replay();
  return {
    receiving,
    ws,
    connect,
    receipt: (ids: readonly string[], attrs: Readonly<Record<string, string>> = {}) =>
      ws.emit('CB:receipt', receiptOf(ids, attrs)),
    sent: (id = MINE) => {
      const content = proto.Message.encode({ conversation: 'hi' }).finish();
      return receiving.sent({ id, jid: ADA, timestamp: 5, content, traceparent: undefined });
    },
    /** What has been told when nothing is under way any more. */
    told: async () => {
      await inbound.idle();
      return events.map(({ body }) =>
        body.event === 'message.ack' ? `${body.payload.ackName} ${body.payload.id.slice(-2)}` : body.event,
      );
    },
  };
}

const receiptOf = ([id = '', ...more]: readonly string[], attrs: Readonly<Record<string, string>>): BinaryNode => {
  const items = more.map((each) => ({ tag: 'item', attrs: { id: each } }));
  const list = items.length > 0 ? { content: [{ tag: 'list', attrs: {}, content: items }] } : {};
  return { tag: 'receipt', attrs: { id, from: ADA_LID, t: '6', ...attrs }, ...list };
};

describe('acks of a message whose job has not said yet that it is sent', () => {
  const leaving = (state = new MemorySessionState()) => {
    const first = run(state);
    first.receiving.proofs.leaving(MINE, undefined);
    return { state, first };
  };
  const ORDER = ['message.any', 'SERVER AA', 'DEVICE AA', 'READ AA'];

  test('follow it when the server’s ack and a receipt come in one read', async () => {
    const { first } = leaving();
    first.ws.emit('CB:ack,class:message', { tag: 'ack', attrs: { id: MINE, t: '5' } });
    first.receipt([MINE]);
    await first.sent();
    first.receipt([MINE], { type: 'read' });
    expect(await first.told()).toEqual(ORDER);
  });

  test('follow it when the receipt proves it to the next host, also when the next one dies, and the next', async () => {
    const { state } = leaving();
    const second = run(state);
    second.receipt([MINE]);
    expect(await second.told()).toEqual([]);
    const third = run(state, false);
    third.receipt([MINE], { type: 'read' });
    expect(await third.told()).toEqual([]);
    await third.sent();
    expect(await third.told()).toEqual(ORDER);
    expect(await run(state).told()).toEqual(ORDER);
    expect(state.keys('inbox/')).toEqual([]);
  });

  test('hold up no acks of others, and those of none are in disorder', async () => {
    const { first } = leaving();
    first.receipt([OTHER, MINE]);
    first.receipt([OTHER], { type: 'read' });
    expect(await first.told()).toEqual(['DEVICE BB', 'READ BB']);
    await first.sent();
    expect(await first.told()).toEqual(['DEVICE BB', 'READ BB', 'message.any', 'SERVER AA', 'DEVICE AA']);
  });

  test('are told all the same when the job does not come again', async () => {
    vi.useFakeTimers();
    const { state, first } = leaving();
    first.receipt([MINE]);
    first.receipt([MINE], { type: 'read' });
    await vi.advanceTimersByTimeAsync(299_000);
    expect(await first.told()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await first.told()).toEqual(['DEVICE AA', 'READ AA']);
    expect(state.keys('inbox/')).toEqual([]);
  });
});

describe('a connection that ends', () => {
  const stanza = (id: string, content: Uint8Array, attrs: Readonly<Record<string, string>> = {}): BinaryNode => ({
    tag: 'message',
    attrs: { id, from: ADA, t: '6', ...attrs },
    content: [{ tag: 'enc', attrs: { type: 'msg' }, content }],
  });

  test('with a message in Baileys’ queue does not hide what the phone says of it on the next', async () => {
    const { receiving, ws, connect, told } = run(new MemorySessionState());
    ws.emit('CB:message', stanza('AAAAAA', Uint8Array.of(1)));
    const ciphertext = Uint8Array.of(1);
    connect().emit('CB:message', stanza('AAAAAA', ciphertext));
    const failing = receiving.intake.decrypt(ciphertext, async () => {
      throw new Error('Bad MAC');
    });
    await expect(failing).rejects.toThrow('Bad MAC');
    const key = { remoteJid: ADA, id: 'AAAAAA', fromMe: false };
    receiving.reported({ key, messageStubType: proto.WebMessageInfo.StubType.CIPHERTEXT });
    receiving.reported({ key, message: { conversation: 'from the phone' }, messageTimestamp: 6 });
    expect(await told()).toEqual(['message.waiting', 'message', 'message.any']);
  });

  test('before something between own devices has taken effect leaves it to the next', async () => {
    vi.useFakeTimers();
    const state = new MemorySessionState();
    const { receiving, ws, connect } = run(state);
    const keys = { protocolMessage: { type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE } };
    const ciphertext = Buffer.from([...proto.Message.encode(keys).finish(), 1]);
    const attrs = { from: OWN.id, category: 'peer' };
    ws.emit('CB:message', stanza('KEYS', ciphertext, attrs));
    await receiving.intake.decrypt(ciphertext, async (alongside) => {
      state.append(alongside(ciphertext));
      return ciphertext;
    });
    const done = { key: { remoteJid: OWN.id, id: 'KEYS', fromMe: true }, message: keys };
    receiving.reported(done);
    await vi.advanceTimersByTimeAsync(1_000);
    const next = connect();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(state.keys('inbox/')).toHaveLength(1);
    const again: BinaryNode[] = [];
    next.on('CB:message', (each: BinaryNode) => again.push(each));
    receiving.resume({ ws: next });
    expect(again.map(({ attrs: { id } }) => id)).toEqual(['KEYS']);
    const [part] = again.flatMap(({ content }) => (Array.isArray(content) ? content : []));
    if (!(part?.content instanceof Uint8Array)) throw new Error('no ciphertext');
    await receiving.intake.decrypt(part.content, () => Promise.reject(new Error('decrypted twice')));
    receiving.reported(done);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(state.keys('inbox/')).toEqual([]);
  });
});
