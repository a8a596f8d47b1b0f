import { describe, expect, test, vi } from 'vitest';
import { NotOwnerError } from '#shared/domain/errors.ts';
import { FrameCipher } from '#test/simulator/wire/frame-cipher.ts';
import { type EngineHarness, eventually } from '../engine-harness.ts';
import { MemorySessionState } from '../memory-session-state.ts';
import { chatOf, runCommand, useNowebWorld } from './noweb-world.ts';

const world = useNowebWorld();

const statuses = (harness: EngineHarness) => harness.states.map(({ status }) => status);
const logins = () => world.simulator.stats().logins;
/** The session's socket is open again: a new login has been seen and a message comes through. */
async function answersAgain(harness: EngineHarness, own: string, before: number): Promise<void> {
  await eventually('another login', () => (logins() > before ? true : undefined));
  const { phone } = world.contact('Prober');
  await world.simulator.send(phone, { to: own, text: `probe ${before}` });
  await harness.event('message', ({ body }) => JSON.stringify(body).includes(`probe ${before}`));
}

describe('connection', () => {
  test('mends a cut without a word', async () => {
    const { harness, phone } = await world.paired();
    const [said, before] = [harness.states.length, logins()];
    world.simulator.addFault({ kind: 'cut', match: { phone } });
    await answersAgain(harness, phone, before);
    expect(harness.states.length).toBe(said);
  });

  test('a send in the middle of a short drop waits for its end', async () => {
    const { harness, phone, run } = await world.paired();
    const { chatId } = world.contact('Patient Reader');
    const before = logins();
    world.simulator.addFault({ kind: 'cut', match: { phone } });
    await eventually('the drop', () =>
      world.simulator.accounts().some(({ devices }) => devices.some(({ id, online }) => id === 1 && online))
        ? undefined
        : true,
    );
    const outcomes = await Promise.all(['one', 'two'].map((text) => run({ type: 'sendText', chatId, text })));
    expect(outcomes.map(({ kind }) => kind)).not.toContain('rejected');
    await eventually('another login', () => (logins() > before ? true : undefined));
    expect(await run({ type: 'sendText', chatId, text: 'three' })).toMatchObject({ kind: 'sent' });
    expect(statuses(harness)).not.toContain('FAILED');
  });

  test('reports STARTING with a reason when a drop lasts', async () => {
    const { harness, phone } = await world.paired({ blipMs: 1, reconnect: { baseMs: 300, maxMs: 300 } });
    world.simulator.addFault({ kind: 'refuse-login', code: 503, count: 1, match: { phone } });
    world.simulator.addFault({ kind: 'stream-error', code: 503, match: { phone } });
    expect(await harness.reaches('STARTING')).toMatchObject({ reason: expect.any(String) });
    await harness.reaches('WORKING');
  });

  test('a frame that cannot be read costs the connection, not the process', async () => {
    const { harness, phone } = await world.paired();
    const before = logins();
    const sent = vi.spyOn(FrameCipher.prototype, 'encrypt').mockImplementationOnce(() => Buffer.alloc(40, 1));
    const { phone: writer } = world.contact('Garbler');
    await world.simulator.send(writer, { to: phone, text: 'garbled' });
    await eventually('another login', () => (logins() > before ? true : undefined));
    sent.mockRestore();
    await harness.event('message', ({ body }) => JSON.stringify(body).includes('garbled'));
  });

  test('a device unlinked on the phone has FAILED with logged-out', async () => {
    const { harness, phone } = await world.paired();
    world.simulator.unlink(phone, 1);
    expect(await harness.reaches('FAILED')).toMatchObject({ reason: 'logged-out' });
  });

  test.each([
    [403, 'banned'],
    [405, 'client-outdated'],
  ])('a login refused with %i has FAILED with %s', async (code, reason) => {
    const { harness, phone } = await world.paired();
    world.simulator.addFault({ kind: 'refuse-login', code, match: { phone } });
    world.simulator.addFault({ kind: 'cut', match: { phone } });
    expect(await harness.reaches('FAILED')).toMatchObject({ reason });
  });

  test('being replaced waits before it comes back, and fails when it happens again and again', async () => {
    const { harness, phone } = await world.paired({ conflict: { waitMs: 300, attempts: 2 } });
    for (const round of [1, 2]) {
      const before = logins();
      world.simulator.addFault({ kind: 'stream-error', code: 440, match: { phone } });
      await answersAgain(harness, phone, before);
      expect(statuses(harness), `round ${round}`).not.toContain('FAILED');
    }
    world.simulator.addFault({ kind: 'stream-error', code: 440, match: { phone } });
    expect(await harness.reaches('FAILED')).toMatchObject({ reason: 'conflict' });
  });

  test('a login refused before the first one ever succeeded means a new QR code', async () => {
    const harness = world.session();
    const own = '4915177777777';
    world.simulator.addFault({ kind: 'refuse-login', code: 401, count: 1 });
    harness.engine.start();
    const first = await harness.reaches('SCAN_QR_CODE');
    await world.simulator.scanQr(first.qr.value, own);
    const second = await eventually('another QR code', () =>
      harness.states.flatMap((state) => (state.status === 'SCAN_QR_CODE' ? [state.qr] : [])).at(1),
    );
    expect(second.value).not.toBe(first.qr.value);
    await world.simulator.scanQr(second.value, own);
    await harness.reaches('WORKING');
  });

  test('QR codes that nobody scans end in FAILED with qr-expired', async () => {
    const harness = world.session({ qrLifetimeMs: 20, qrCodes: 3 });
    harness.engine.start();
    expect(await harness.reaches('FAILED')).toMatchObject({ reason: 'qr-expired' });
    expect(statuses(harness).filter((status) => status === 'SCAN_QR_CODE')).toHaveLength(3);
  });

  test('pairs by code', async () => {
    const harness = world.session();
    harness.engine.start();
    await harness.reaches('SCAN_QR_CODE');
    const own = '4915188888888';
    const outcome = await runCommand(harness, { type: 'requestPairingCode', phone: `+${own}` });
    expect(outcome).toMatchObject({
      kind: 'done',
      result: { code: expect.stringMatching(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/) },
    });
    const code = outcome.kind === 'done' ? String(outcome.result.code) : '';
    await world.simulator.enterCode(own, code.replace('-', ''));
    expect(await harness.reaches('WORKING')).toMatchObject({ me: { id: `${own}@c.us` } });
  });

  test('logout removes the linked device', async () => {
    const { harness, phone } = await world.paired();
    await harness.engine.logout();
    const account = world.simulator.accounts().find((each) => each.phone === phone);
    expect(account?.devices.map(({ id }) => id)).toEqual([0]);
    expect(statuses(harness)).not.toContain('FAILED');
  });
});

/** A state that becomes durable only when the test says so. */
class HeldState extends MemorySessionState {
  held = false;
  lost = false;
  readonly #waiting: (() => void)[] = [];

  override async durable(): Promise<void> {
    if (this.held) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.lost) throw new NotOwnerError('somebody else has the state');
  }

  release(): void {
    this.held = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

describe('output gate', () => {
  test('pairs and sends with every frame behind the durable state', async () => {
    const { run } = await world.paired({ gate: 'durable' });
    const { phone, chatId } = world.contact('Patient');
    expect(await run({ type: 'sendText', chatId, text: 'gated' })).toMatchObject({ kind: 'sent' });
    expect(await world.simulator.inbox(phone)).toMatchObject([{ text: 'gated' }]);
  });

  test('a message leaves only after the ratchet step behind it is durable', async () => {
    const state = new HeldState();
    const { run } = await world.paired({ gate: 'durable' }, { state });
    const other = await world.paired();
    const { phone, chatId } = world.contact('Waiting');
    const texts = async () => (await world.simulator.inbox(phone)).map(({ text }) => text);
    await run({ type: 'sendText', chatId, text: 'opens the session' });
    await other.run({ type: 'sendText', chatId, text: 'opens the other' });
    const head = state.head;
    state.held = true;
    const outcome = run({ type: 'sendText', chatId, text: 'held back' });
    await eventually('the encryption', () => (state.head > head ? true : undefined));
    // Another account's whole way there and back leaves an ungated frame time enough to arrive.
    await other.run({ type: 'sendText', chatId, text: 'not held back' });
    expect(await texts()).toEqual(['opens the session', 'opens the other', 'not held back']);
    state.release();
    expect(await outcome).toMatchObject({ kind: 'sent' });
    expect((await texts()).at(-1)).toBe('held back');
  });

  test('a state that somebody else has taken lets nothing leave', async () => {
    const state = new HeldState();
    const { run } = await world.paired({ gate: 'durable', ackTimeoutMs: 300 }, { state });
    const { phone, chatId } = world.contact('Never');
    await run({ type: 'sendText', chatId, text: 'opens the session' });
    state.lost = true;
    expect(await run({ type: 'sendText', chatId, text: 'too late' })).toMatchObject({ kind: 'retry' });
    expect((await world.simulator.inbox(phone)).map(({ text }) => text)).toEqual(['opens the session']);
  });
});

describe('sessions of the ratchet', () => {
  test('two accounts that write to each other at the same moment understand every message', async () => {
    const [ann, ben] = [await world.paired(), await world.paired()];
    const retries = world.simulator.stats().retries;
    const count = 20;
    const write = async (from: typeof ann, to: typeof ann) => {
      for (let n = 0; n < count; n += 1) {
        await from.run({ type: 'sendText', chatId: chatOf(to.phone), text: `number ${n}` });
      }
    };
    await Promise.all([write(ann, ben), write(ben, ann)]);
    for (const { harness } of [ann, ben]) {
      await harness.event('message', ({ body }) => JSON.stringify(body).includes(`number ${count - 1}"`));
      const texts = harness.events.flatMap(({ body }) => (body.event === 'message' ? [body.payload.body] : []));
      expect(texts).toEqual(Array.from({ length: count }, (_, n) => `number ${n}`));
    }
    expect(world.simulator.stats().retries).toBe(retries);
  });

  test('a contact that lost its sessions gets the message again', async () => {
    const { run } = await world.paired();
    const { phone, chatId } = world.contact('Reinstalled');
    await run({ type: 'sendText', chatId, text: 'before' });
    world.simulator.forgetSessions(phone);
    await run({ type: 'sendText', chatId, text: 'lost and found' });
    const texts = async () => (await world.simulator.inbox(phone)).map(({ text }) => text);
    await expect.poll(texts, { timeout: 10_000 }).toContain('lost and found');
  });
});
