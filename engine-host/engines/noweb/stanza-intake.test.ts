import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import type { StateChange } from '../engine.ts';
import { MemorySessionState } from '../memory-session-state.ts';
import { type Alongside, KeysClosedError } from './auth-keys.ts';
import type { Happening } from './happening.ts';
import { Inbox } from './inbox.ts';
import { InboxBudget } from './inbox-budget.ts';
import { MarkedState } from './marked-state.ts';
import { MessageSecrets } from './message-secrets.ts';
import { readContent, unpadded } from './rebuild-message.ts';
import { StanzaIntake } from './stanza-intake.ts';

const ANN = '4915100000001@s.whatsapp.net';
const GROUP = '1203630000@g.us';

/** Every state the disk may be in when the host dies: one after each append. */
class Recorded extends MemorySessionState {
  readonly disks: MemorySessionState[] = [];
  override append(changes: readonly StateChange[]): number {
    const mark = super.append(changes);
    const disk = new MemorySessionState();
    for (const key of this.keys('')) disk.append([{ key, value: this.get(key) ?? null }]);
    this.disks.push(disk);
    return mark;
  }
}

/** A session in which a ciphertext is its plaintext and `ratchet/…` counts how often each was decrypted. */
function session(state: MemorySessionState) {
  const marked = new MarkedState(state);
  const delivered: { readonly number: number; readonly happening: Happening }[] = [];
  const share = new InboxBudget({ session: 1e6, host: 1e6 }).open();
  const inbox = new Inbox(marked, (number, happening) => delivered.push({ number, happening }), share);
  const intake = new StanzaIntake(inbox, new MessageSecrets(marked));
  const decrypt = (ciphertext: Uint8Array) =>
    intake.decrypt(ciphertext, async (alongside: Alongside<Uint8Array>) => {
      if (ciphertext[0] === 0) throw new Error('Bad MAC');
      const key = `ratchet/${Buffer.from(ciphertext).toString('base64')}`;
      const steps = (state.get(key)?.[0] ?? 0) + 1;
      marked.append([{ key, value: Uint8Array.of(steps) }, ...alongside(Buffer.from(ciphertext))]);
      return ciphertext;
    });
  /** Baileys' part: the stanza arrives, and its parts are decrypted one after the other. */
  const handle = async (stanza: BinaryNode) => {
    intake.arrived(stanza);
    const results: (string | undefined)[] = [];
    for (const { content } of Array.isArray(stanza.content) ? stanza.content : []) {
      if (!(content instanceof Uint8Array)) continue;
      const plain = await decrypt(content).catch(() => undefined);
      results.push(plain && (readContent(unpadded(plain)).conversation ?? ''));
    }
    return results;
  };
  return { marked, inbox, intake, delivered, handle };
}

const plaintext = (message: proto.IMessage) =>
  Buffer.concat([proto.Message.encode(message).finish(), Uint8Array.of(1)]);
const text = (conversation: string) => plaintext({ conversation });
const BROKEN = Uint8Array.of(0, 1, 2);

/** A new object each time, as a redelivery is. */
const stanza = (id: string, parts: readonly Uint8Array[], from = ANN): BinaryNode => ({
  tag: 'message',
  attrs: { id, from, t: '1700000000', offline: '0', ...(from === GROUP ? { participant: ANN } : {}) },
  content: parts.map((part) => ({ tag: 'enc', attrs: { type: 'msg' }, content: Buffer.from(part) })),
});
const groupKey = plaintext({ senderKeyDistributionMessage: { groupId: GROUP } });
const backlog = () => [
  stanza('ONE', [text('one')]),
  stanza('TWO', [groupKey, text('two')], GROUP),
  stanza('THREE', [text('three')]),
];
const idsOf = (delivered: readonly { readonly happening: Happening }[]) =>
  delivered.map(({ happening }) => (happening.kind === 'message' ? happening.attrs.id : happening.kind));
const textsOf = (delivered: readonly { readonly happening: Happening }[]) =>
  delivered.map(({ happening }) =>
    happening.kind === 'message'
      ? happening.parts.map(({ plain }) => plain && (readContent(plain).conversation ?? ''))
      : happening.kind,
  );
const stepsIn = (state: MemorySessionState) => state.keys('ratchet/').map((key) => state.get(key)?.[0]);

describe('StanzaIntake', () => {
  test('a message is delivered with its last part', async () => {
    const { delivered, handle } = session(new MemorySessionState());
    for (const each of backlog()) await handle(each);
    expect(idsOf(delivered)).toEqual(['ONE', 'TWO', 'THREE']);
    expect(textsOf(delivered)).toEqual([['one'], ['', 'two'], ['three']]);
    expect(delivered[0]?.happening).not.toHaveProperty('attrs.offline');
  });

  test('wherever the host dies, the next one delivers everything once, in order, on an unbroken ratchet', async () => {
    const recorded = new Recorded();
    const first = session(recorded);
    for (const each of backlog()) await first.handle(each);
    expect(recorded.disks.length).toBe(4);
    for (const disk of [new MemorySessionState(), ...recorded.disks]) {
      const next = session(disk);
      next.inbox.replay();
      for (const each of backlog()) await next.handle(each);
      expect(idsOf(next.delivered)).toEqual(['ONE', 'TWO', 'THREE']);
      expect(stepsIn(disk)).toEqual([1, 1, 1, 1]);
    }
  });

  test('one record holds the ratchet step and what it made readable', async () => {
    const state = new MemorySessionState();
    const { handle } = session(state);
    await handle(stanza('ONE', [text('one')]));
    expect(state.head).toBe(1);
    expect(state.keys('inbox/')).toHaveLength(1);
  });

  test('what comes again is answered without a step: from what is kept, or empty when it is published', async () => {
    const state = new MemorySessionState();
    const { handle, inbox, marked, delivered } = session(state);
    await handle(stanza('ONE', [text('one')]));
    expect(await handle(stanza('ONE', [text('one')]))).toEqual(['one']);
    inbox.clear(delivered[0]?.number ?? 0);
    expect(await handle(stanza('ONE', [text('one')]))).toEqual(['']);
    marked.hasten();
    const later = session(state);
    expect(await later.handle(stanza('ONE', [text('one')]))).toEqual(['']);
    expect(later.delivered).toEqual([]);
    expect(stepsIn(state)).toEqual([1]);
  });

  test('a message that its sender encrypts anew counts as a step and is delivered once', async () => {
    const state = new MemorySessionState();
    const { handle, delivered, inbox } = session(state);
    await handle(stanza('ONE', [text('one')]));
    inbox.clear(1);
    await handle(stanza('ONE', [Buffer.concat([text('one').subarray(0, -1), Uint8Array.of(2, 2)])]));
    expect(idsOf(delivered)).toEqual(['ONE']);
    expect(stepsIn(state)).toEqual([1, 1]);
  });

  test('what cannot be decrypted is kept before anybody is told, and its repetition is taken', async () => {
    const state = new MemorySessionState();
    const { handle, delivered } = session(state);
    expect(await handle(stanza('ONE', [BROKEN]))).toEqual([undefined]);
    expect(delivered).toMatchObject([{ happening: { kind: 'message', parts: [{ plain: null }] } }]);
    expect(state.head).toBe(1);
    await handle(stanza('ONE', [text('one')]));
    expect(textsOf(delivered)).toEqual([[null], ['one']]);
  });

  test('a connection that has ended leaves no trace of what was under way', async () => {
    const state = new MemorySessionState();
    const { intake, delivered } = session(state);
    const ciphertext = text('late');
    intake.arrived({
      tag: 'message',
      attrs: { id: 'A', from: ANN },
      content: [{ tag: 'enc', attrs: {}, content: ciphertext }],
    });
    const ended = intake.decrypt(ciphertext, async () => {
      throw new KeysClosedError('ended');
    });
    await expect(ended).rejects.toThrow('ended');
    expect([state.head, delivered]).toEqual([0, []]);
  });

  test('bytes that came in no stanza are not decrypted: the library is not what it was', async () => {
    const { intake } = session(new MemorySessionState());
    await expect(intake.decrypt(text('from nowhere'), async () => text('x'))).rejects.toThrow('version of Baileys');
  });

  test('what works between own devices is kept until it has taken effect, and can be handed to Baileys again', async () => {
    const state = new MemorySessionState();
    const keys = { protocolMessage: { type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE } };
    await session(state).handle(stanza('KEYS', [plaintext(keys)]));
    const { inbox, intake, handle } = session(state);
    const [number = 0, happening] = inbox.waiting[0] ?? [];
    if (happening?.kind !== 'message') throw new Error('nothing was kept');
    expect(inbox.isInternal(number)).toBe(true);
    const again = intake.restored(number, happening);
    await handle(again);
    expect(intake.reported('KEYS')?.number).toBe(number);
    expect(stepsIn(state)).toEqual([1]);
  });

  test('messages in the clear and announced ones are kept as they arrive', () => {
    const state = new MemorySessionState();
    const { intake, delivered } = session(state);
    const clear = { tag: 'plaintext', attrs: {}, content: proto.Message.encode({ conversation: 'news' }).finish() };
    intake.arrived({ tag: 'message', attrs: { id: 'A', from: '1@newsletter' }, content: [clear] });
    intake.arrived({ tag: 'message', attrs: { id: 'B', from: ANN }, content: [{ tag: 'unavailable', attrs: {} }] });
    const viewOnce = { tag: 'unavailable', attrs: { type: 'view_once' } };
    intake.arrived({ tag: 'message', attrs: { id: 'C', from: ANN }, content: [viewOnce] });
    expect(delivered).toMatchObject([
      { happening: { attrs: { id: 'A' }, parts: [{ plain: clear.content }] } },
      { happening: { attrs: { id: 'B' }, parts: [] } },
    ]);
    expect(state.head).toBe(2);
  });
});
