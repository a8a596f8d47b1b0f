import { describe, expect, test } from 'vitest';
import { IDENTITY_FLAWS } from '#test/simulator/wire/false-identity.ts';
import { type EngineHarness, eventually } from '../engine-harness.ts';
import { chatOf, useNowebWorld } from './noweb-world.ts';

const world = useNowebWorld();

const SOON = { distrust: { baseMs: 20, maxMs: 20 } };
/** Handshakes that a client has finished, which is when it says who it is. */
const finished = () => world.simulator.stats().connections;

const starting = (harness: EngineHarness) => {
  const state = harness.status;
  return state?.status === 'STARTING' && state.reason !== undefined ? state : undefined;
};
const refusal = (harness: EngineHarness) => eventually('a refusal', () => starting(harness));

describe('a server that does not prove to be WhatsApp', () => {
  test.each(IDENTITY_FLAWS)('learns nothing: %s', async (identity) => {
    const before = finished();
    world.simulator.addFault({ kind: 'false-identity', identity });
    const harness = world.session();
    harness.engine.start();
    const clock = ['expired', 'expired-issuer', 'not-yet-valid'].includes(identity);
    expect(await refusal(harness)).toMatchObject({
      reason: clock ? 'server-identity-clock' : 'server-identity',
      message: expect.stringMatching(clock ? /this host's clock/ : /did not prove that it is WhatsApp's/),
    });
    expect(finished()).toBe(before);
  });

  test('does not get the login of a paired session, which keeps it and goes on when WhatsApp is there again', async () => {
    const { harness, phone } = await world.paired(SOON);
    const [before, said] = [finished(), harness.states.length];
    const creds = () => harness.state.keys('creds/').map((key) => [key, harness.state.get(key)]);
    const kept = creds();
    world.simulator.addFault({ kind: 'false-identity', identity: 'key', count: 3 });
    world.simulator.addFault({ kind: 'cut', match: { phone } });
    await refusal(harness);
    expect({ finished: finished(), creds: creds() }).toEqual({ finished: before, creds: kept });
    await harness.reaches('WORKING');
    expect(finished()).toBe(before + 1);
    expect(harness.states.slice(said)).toEqual([
      { status: 'STARTING', reason: 'server-identity', message: expect.any(String) },
      expect.objectContaining({ status: 'WORKING' }),
    ]);
  });

  test("is a simulator, where only WhatsApp's root is trusted", async () => {
    const harness = world.session({ whatsappRootKey: undefined });
    harness.engine.start();
    expect(await refusal(harness)).toMatchObject({ reason: 'server-identity' });
  });
});

describe('a pairing that the phone did not prove', () => {
  test.each(['hmac', 'signature', 'client', 'unreadable'] as const)('links nothing: %s', async (pairing) => {
    const harness = world.session();
    harness.engine.start();
    const { qr } = await harness.reaches('SCAN_QR_CODE');
    world.simulator.addFault({ kind: 'false-pairing', pairing });
    const head = harness.state.head;
    await expect(world.simulator.scanQr(qr.value, '4915155555555')).rejects.toThrow('the client refused the pairing');
    expect(await harness.reaches('FAILED')).toMatchObject({
      reason: 'pairing-unproven',
      message: expect.stringContaining('Nothing was linked'),
    });
    expect(harness.state.head).toBe(head);
    expect(harness.state.get('creds/me')).toBeUndefined();
    expect(harness.state.get('creds/account')).toBeUndefined();
  });

  test('does not keep the next one from being linked', async () => {
    const first = world.session();
    first.engine.start();
    world.simulator.addFault({ kind: 'false-pairing', count: 1 });
    const { qr } = await first.reaches('SCAN_QR_CODE');
    await expect(world.simulator.scanQr(qr.value, '4915166666666')).rejects.toThrow('refused');
    await first.reaches('FAILED');
    const again = world.session({}, { state: first.state });
    again.engine.start();
    await world.simulator.scanQr((await again.reaches('SCAN_QR_CODE')).qr.value, '4915166666666');
    expect(await again.reaches('WORKING')).toMatchObject({ me: { id: '4915166666666@c.us' } });
  });
});

describe('keys that their owner did not sign', () => {
  test('open no session, and nothing is sent to them', async () => {
    const { run } = await world.paired();
    const { phone, chatId } = world.contact('Impersonated');
    world.simulator.addFault({ kind: 'false-prekeys', match: { phone } });
    expect(await run({ type: 'sendText', chatId, text: 'secret' })).toMatchObject({
      kind: 'rejected',
      code: 'encryption-failed',
    });
    world.simulator.clearFaults();
    expect(await run({ type: 'sendText', chatId, text: 'hello' })).toMatchObject({ kind: 'sent' });
    expect((await world.simulator.inbox(phone)).map(({ text }) => text)).toEqual(['hello']);
  });

  test('of one member keep nobody else in the group from reading', async () => {
    const { run, phone: own } = await world.paired();
    const [good, bad] = [world.contact('Honest'), world.contact('Replaced')];
    const { id } = world.simulator.createGroup({ owner: own, subject: 'Mixed', participants: [good.phone, bad.phone] });
    world.simulator.addFault({ kind: 'false-prekeys', match: { phone: bad.phone } });
    const chatId = chatOf(id);
    expect(await run({ type: 'sendText', chatId, text: 'to the group' })).toMatchObject({ kind: 'sent' });
    await expect
      .poll(async () => (await world.simulator.inbox(good.phone)).map(({ text }) => text))
      .toEqual(['to the group']);
    expect(await world.simulator.inbox(bad.phone)).toEqual([]);
  });
});
