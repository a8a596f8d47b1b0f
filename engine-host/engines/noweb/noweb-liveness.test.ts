import { expect, onTestFinished, test } from 'vitest';
import { type EngineHarness, eventually } from '../engine-harness.ts';
import { useNowebWorld } from './noweb-world.ts';
import { type SilentProxy, startSilentProxy } from './silent-proxy.ts';

const world = useNowebWorld();
const logins = () => world.simulator.stats().logins;
/** As WhatsApp's, in the same proportions. */
const WATCH = { pingMs: 600, pingAnswerMs: 400 };

async function proxied(): Promise<SilentProxy> {
  const proxy = await startSilentProxy(world.simulator.wsUrl);
  onTestFinished(() => proxy.close());
  return proxy;
}

async function hears(harness: EngineHarness, own: string, text: string): Promise<void> {
  const { phone } = world.contact('Writer');
  await world.simulator.send(phone, { to: own, text });
  await harness.event('message', ({ body }) => JSON.stringify(body).includes(text));
}

test('a connection that is open and carries nothing is replaced, without a word', async () => {
  const proxy = await proxied();
  const { harness, phone } = await world.paired({ ...WATCH, whatsappUrl: proxy.url(world.simulator.wsUrl) });
  const [said, before] = [harness.states.length, logins()];
  proxy.silence();
  await eventually('another login', () => (logins() > before ? true : undefined));
  await hears(harness, phone, 'after the silence');
  expect(harness.states.length).toBe(said);
});

test('a connection that nothing is written on is kept, by pings that the server answers', async () => {
  const { harness, phone } = await world.paired(WATCH);
  const before = logins();
  const pings = () => world.simulator.stats().pings;
  const first = pings();
  await eventually('some pings', () => (pings() > first + 4 ? true : undefined));
  await hears(harness, phone, 'still there');
  expect(logins()).toBe(before);
});

test('a connection that shows a QR code is watched as well', async () => {
  const proxy = await proxied();
  const harness = world.session({ ...WATCH, whatsappUrl: proxy.url(world.simulator.wsUrl) });
  harness.engine.start();
  const first = await harness.reaches('SCAN_QR_CODE');
  proxy.silence();
  const another = await eventually('another QR code', () =>
    harness.states.find((state) => state.status === 'SCAN_QR_CODE' && state.qr.value !== first.qr.value),
  );
  expect(another.status).toBe('SCAN_QR_CODE');
});

test('while nothing may leave, a connection is not taken for dead', async () => {
  const proxy = await proxied();
  const { harness, phone } = await world.paired({ ...WATCH, whatsappUrl: proxy.url(world.simulator.wsUrl) });
  const before = logins();
  harness.owned = false;
  // The state of the watch cannot be seen from outside; so long that it would have given up twice.
  await new Promise((resolve) => setTimeout(resolve, 2 * (WATCH.pingMs + WATCH.pingAnswerMs)));
  expect(logins()).toBe(before);
  harness.owned = true;
  await hears(harness, phone, 'awake again');
  expect(logins()).toBe(before);
});

test('a connection that takes messages into nowhere is replaced once', async () => {
  const { phone, run, harness } = await world.paired({ ackTimeoutMs: 300 });
  const { chatId } = world.contact('Unreachable');
  const before = logins();
  world.simulator.addFault({ kind: 'swallow', match: { phone, tag: 'message' } });
  for (let [unanswered, round] = [0, 1]; unanswered < 4 && round < 20; round += 1) {
    const outcome = await run({ type: 'sendText', chatId, text: `lost ${round}` });
    expect(outcome).toMatchObject({ kind: 'retry' });
    if (outcome.kind === 'retry' && outcome.reason === 'ack-timeout') unanswered += 1;
  }
  expect(logins()).toBe(before + 1);
  world.simulator.clearFaults();
  await hears(harness, phone, 'and back');
  expect(await run({ type: 'sendText', chatId, text: 'heard' })).toMatchObject({ kind: 'sent' });
});
