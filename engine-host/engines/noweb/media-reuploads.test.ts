import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { type BaileysEventMap, type BinaryNode, decodeMediaRetryNode, proto } from '@whiskeysockets/baileys';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MediaReuploads, ON_ARRIVAL, ON_DEMAND, type WantedMedia } from './media-reuploads.ts';

const { ResultType } = proto.MediaRetryNotification;
const MEDIA_KEY = randomBytes(32);
const WAIT_MS = 1_000;

/** What the phone answers, as its notification is read. */
function answer(id: string, content: BinaryNode): BaileysEventMap['messages.media-update'] {
  const rmr = { tag: 'rmr', attrs: { jid: '1@lid', from_me: 'false' } };
  return [decodeMediaRetryNode({ tag: 'notification', attrs: { id }, content: [content, rmr] })];
}

function sealed(id: string, result: proto.MediaRetryNotification.ResultType, directPath?: string, key = MEDIA_KEY) {
  const secret = Buffer.from(hkdfSync('sha256', key, '', 'WhatsApp Media Retry Notification', 32));
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', secret, iv).setAAD(Buffer.from(id));
  const plain = proto.MediaRetryNotification.encode({
    stanzaId: id,
    result,
    ...(directPath && { directPath }),
  }).finish();
  const enc_p = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  const parts = Object.entries({ enc_p, enc_iv: iv }).map(([tag, content]) => ({ tag, attrs: {}, content }));
  return answer(id, { tag: 'encrypt', attrs: {}, content: parts });
}

class World {
  connected = true;
  readonly sent: BinaryNode[] = [];
  readonly reuploads = new MediaReuploads({
    send: async (stanza) => {
      if (!this.connected) throw new Error('Connection Closed');
      this.sent.push(stanza);
    },
    ownJid: () => '49151:7@s.whatsapp.net',
    now: () => Date.now(),
  });

  ask(id: string, wanted: Partial<WantedMedia> = {}) {
    const key = { remoteJid: '1@lid', fromMe: false, id };
    return this.reuploads.ask({ key, mediaKey: MEDIA_KEY, timeoutMs: WAIT_MS, patience: ON_ARRIVAL, ...wanted });
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('asking the phone for media', () => {
  test('names the message to the own account, and takes the new place', async () => {
    const world = new World();
    const asked = world.ask('ONE', { key: { remoteJid: '2@g.us', fromMe: false, id: 'ONE', participant: '1@lid' } });
    await vi.advanceTimersByTimeAsync(0);
    expect(world.sent).toMatchObject([
      {
        tag: 'receipt',
        attrs: { id: 'ONE', to: '49151@s.whatsapp.net', type: 'server-error' },
        content: [{ tag: 'encrypt' }, { tag: 'rmr', attrs: { jid: '2@g.us', from_me: 'false', participant: '1@lid' } }],
      },
    ]);
    world.reuploads.answered(sealed('OTHER', ResultType.SUCCESS, '/v/other'));
    world.reuploads.answered(sealed('ONE', ResultType.SUCCESS, '/v/again'));
    expect(await asked).toEqual({ kind: 'uploaded', directPath: '/v/again' });
  });

  test.each([
    ['that it does not have it', answer('ONE', { tag: 'error', attrs: { code: '2' } }), 'missing'],
    ['the same, sealed', sealed('ONE', ResultType.NOT_FOUND), 'missing'],
    ['that something went wrong', sealed('ONE', ResultType.GENERAL_ERROR), 'refused'],
    ['that it cannot read what is wanted', sealed('ONE', ResultType.DECRYPTION_ERROR), 'refused'],
    ['that it is there, but not where', sealed('ONE', ResultType.SUCCESS), 'refused'],
    ['an error without a meaning', answer('ONE', { tag: 'error', attrs: { code: '99' } }), 'refused'],
    ['nothing at all', answer('ONE', { tag: 'encrypt', attrs: {} }), 'missing'],
  ])('the phone says %s', async (_, updates, kind) => {
    const world = new World();
    const asked = world.ask('ONE');
    world.reuploads.answered(updates);
    expect(await asked).toEqual({ kind });
  });

  test('an answer that is sealed for another file is none', async () => {
    const world = new World();
    const asked = world.ask('ONE');
    world.reuploads.answered(sealed('ONE', ResultType.SUCCESS, '/v/evil', randomBytes(32)));
    await vi.advanceTimersByTimeAsync(WAIT_MS);
    expect(await asked).toEqual({ kind: 'silent' });
  });

  test('without a connection it is asked as soon as there is one, and again on the next', async () => {
    const world = new World();
    world.connected = false;
    const asked = world.ask('ONE');
    await vi.advanceTimersByTimeAsync(0);
    expect(world.sent).toEqual([]);
    world.connected = true;
    world.reuploads.opened();
    world.reuploads.opened();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.sent.map(({ attrs }) => attrs.id)).toEqual(['ONE', 'ONE']);
    world.reuploads.answered(sealed('ONE', ResultType.SUCCESS, '/v/again'));
    expect(await asked).toMatchObject({ kind: 'uploaded' });
    world.reuploads.opened();
    expect(world.sent).toHaveLength(2);
  });

  test('a phone that is silent holds up one message of a backlog, not each; on demand it is asked sooner again', async () => {
    const world = new World();
    const first = world.ask('ONE');
    await vi.advanceTimersByTimeAsync(WAIT_MS);
    expect(await first).toEqual({ kind: 'silent' });
    expect(await world.ask('TWO')).toEqual({ kind: 'silent' });
    expect(await world.ask('THREE', { patience: ON_DEMAND })).toEqual({ kind: 'silent' });
    await vi.advanceTimersByTimeAsync(ON_DEMAND.restMs);
    expect(await world.ask('FOUR')).toEqual({ kind: 'silent' });
    expect(world.sent.map(({ attrs }) => attrs.id)).toEqual(['ONE']);
    const demanded = world.ask('FIVE', { patience: ON_DEMAND });
    world.reuploads.answered(sealed('FIVE', ResultType.SUCCESS, '/v/again'));
    expect(await demanded).toMatchObject({ kind: 'uploaded' });
    const afterwards = world.ask('SIX');
    world.reuploads.answered(sealed('SIX', ResultType.SUCCESS, '/v/again'));
    expect(await afterwards).toMatchObject({ kind: 'uploaded' });
  });

  test('on demand it gets no more time than the other commands can wait', async () => {
    const world = new World();
    const settled = vi.fn();
    void world.ask('ONE', { timeoutMs: 10 * ON_DEMAND.answerMs, patience: ON_DEMAND }).then(settled);
    await vi.advanceTimersByTimeAsync(ON_DEMAND.answerMs - 1);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(settled).toHaveBeenCalledWith({ kind: 'silent' });
  });

  test('a silent phone is asked again after a while, and at once when it was never asked', async () => {
    const world = new World();
    world.connected = false;
    const unsent = world.ask('ONE');
    await vi.advanceTimersByTimeAsync(WAIT_MS);
    expect(await unsent).toEqual({ kind: 'silent' });
    world.connected = true;
    const second = world.ask('TWO');
    await vi.advanceTimersByTimeAsync(WAIT_MS);
    await second;
    await vi.advanceTimersByTimeAsync(ON_ARRIVAL.restMs);
    void world.ask('THREE');
    await vi.advanceTimersByTimeAsync(0);
    expect(world.sent.map(({ attrs }) => attrs.id)).toEqual(['TWO', 'THREE']);
  });

  test('is not asked for more than it can be expected to answer', async () => {
    const world = new World();
    for (let n = 0; n < 40; n += 1) void world.ask(`M${n}`);
    await vi.advanceTimersByTimeAsync(0);
    expect(world.sent).toHaveLength(32);
  });
});
