import { describe, expect, test } from 'vitest';
import { ACKS } from '#shared/domain/message-ack.ts';
import { messageIdForJob } from '#shared/domain/message-id.ts';
import type { EngineEvent } from '../engine.ts';
import { type EngineHarness, eventually, TestJob } from '../engine-harness.ts';
import { type Death, type MortalOptions, MortalSession } from './mortal-session.ts';
import { chatOf, useNowebWorld } from './noweb-world.ts';

const world = useNowebWorld({ receiptDelayMs: 20 });
const PAUSE_MS = 60;
const PATIENCE_MS = 15_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Leads a session through a row of deaths, with traffic both ways and a group in it. @returns what came of it */
async function lead(name: string, phone: string, deaths: Iterable<Death>, options: MortalOptions) {
  const { simulator } = world;
  const [ann, ben] = [world.contact(`Ann ${name}`), world.contact(`Ben ${name}`)];
  const session = new MortalSession(simulator, name, options);
  const { harness } = session.start();
  await simulator.scanQr((await harness.reaches('SCAN_QR_CODE')).qr.value, phone);
  await harness.reaches('WORKING');
  const people = [phone, ben.phone];
  const group = simulator.createGroup({ owner: ann.phone, subject: name, participants: people }).id;
  await session.settled();
  session.kill();
  const before = simulator.stats();
  const logged = (await simulator.clientLog()).length;

  let over = false;
  const said: string[] = [];
  const speak = async (from: string, to: string, label: string): Promise<void> => {
    for (let n = 1; !over; n += 1) {
      said.push(`${label} ${n}`);
      await simulator.send(from, { to, text: `${label} ${n}` });
      await pause(PAUSE_MS);
    }
  };
  const asked: string[] = [];
  const write = async (chat: string, label: string): Promise<void> => {
    for (let n = 1; !over; n += 1) {
      const jobId = `${label} ${n}`;
      asked.push(messageIdForJob(name, jobId));
      await session.send(new TestJob(name, jobId, new Map()), chatOf(chat), jobId);
    }
  };
  const traffic = Promise.all([
    speak(ann.phone, phone, 'from Ann'),
    speak(ben.phone, phone, 'from Ben'),
    speak(ben.phone, group, 'to all from Ben'),
    write(ann.chatId, 'to Ann'),
    write(group, 'to all'),
  ]);
  // What cannot be repaired any more must not keep the count from being taken.
  for (const death of deaths) await Promise.race([session.start(death).died, pause(PATIENCE_MS)]);
  over = true;
  session.kill();
  session.start();
  await Promise.race([traffic, pause(PATIENCE_MS)]);
  const missing = () => {
    const heard = new Set(textsOn(session.bus));
    return said.filter((text) => !heard.has(text));
  };
  await eventually('the last of it', () => (missing().length === 0 ? true : undefined), 6_000).catch(() => undefined);
  const inbox = (await simulator.inbox(ann.phone)).map(({ id }) => id);
  await session.bury();
  const after = simulator.stats();
  const log = (await simulator.clientLog()).slice(logged);
  const texts = textsOn(session.bus);
  return {
    sizes: { said: said.length, asked: asked.length, bytes: session.bytes, appends: session.appends },
    repeatsOnBus: session.bus.length - new Set(session.bus.map(idOf)).size,
    faults: {
      lostIn: missing(),
      twiceIn: texts.length - new Set(texts).size,
      disorderIn: disorder(texts),
      earlyAcks: earlyAcks(session.bus),
      lostOut: asked.filter((id) => !inbox.includes(id)).length,
      // What no receipt could tell the next host of is sent again (ADR 15, ⑦).
      twiceOut: log.filter((entry) => entry.kind === 'repeat' && entry.proven).length,
      undecryptable: after.retries - before.retries,
      reusedCounters: after.counterReuses - before.counterReuses,
      qrCodes: session.statuses.filter((status) => status === 'SCAN_QR_CODE').length - 1,
    },
  };
}

/** Deaths at moments that a slow machine may miss: so many as it takes until counters were used again and a retry was asked for. */
function* untilHarmed(): Generator<Death> {
  const before = world.simulator.stats();
  for (let n = 0; n < 40; n += 1) {
    const { counterReuses, retries } = world.simulator.stats();
    if (counterReuses > before.counterReuses && retries > before.retries) return;
    yield { at: 'milliseconds', count: 150 + 30 * (n % 8) };
  }
}

/** Scans every QR code that the session shows until it is connected. */
async function scanWhenShown(harness: EngineHarness, phone: string): Promise<void> {
  const scanned = new Set<string>();
  await eventually('the session to be connected', () => {
    const state = harness.status;
    if (state?.status === 'SCAN_QR_CODE' && !scanned.has(state.qr.value)) {
      scanned.add(state.qr.value);
      // A code that has just been replaced is refused; the next one is shown already.
      world.simulator.scanQr(state.qr.value, phone).catch(() => undefined);
    }
    return state?.status === 'WORKING' || !harness.owned ? true : undefined;
  });
}

const idOf = ({ body, key, timestamp }: EngineEvent) => `${body.event} ${key} ${timestamp}`;

/** What a receiver hears that looks at the ids of events. */
function textsOn(bus: readonly EngineEvent[]): readonly string[] {
  const seen = new Set<string>();
  return bus.flatMap((event) => {
    if (event.body.event !== 'message' || seen.has(idOf(event))) return [];
    seen.add(idOf(event));
    return [event.body.payload.body ?? ''];
  });
}

/** Texts that came after a later one of the same speaker in the same chat. */
function disorder(texts: readonly string[]): readonly string[] {
  const last = new Map<string, number>();
  return texts.filter((text) => {
    const [, label = '', number] = /^(.*) (\d+)$/.exec(text) ?? [];
    const late = Number(number) < (last.get(label) ?? 0);
    if (!late) last.set(label, Number(number));
    return late;
  });
}

/** Acks that came before the server's, which comes with the message. */
function earlyAcks(bus: readonly EngineEvent[]): readonly string[] {
  const acked = new Set<string>();
  return bus.flatMap(({ body }) => {
    if (body.event !== 'message.ack' && body.event !== 'message.ack.group') return [];
    const { id, ack, ackName } = body.payload;
    const [message = id] = /3EB0[0-9A-F]+/.exec(id) ?? [];
    if (ack === ACKS.SERVER) acked.add(message);
    return acked.has(message) ? [] : [`${ackName} of ${message}`];
  });
}

const NONE = {
  lostIn: [],
  twiceIn: 0,
  disorderIn: [],
  earlyAcks: [],
  lostOut: 0,
  twiceOut: 0,
  undecryptable: 0,
  reusedCounters: 0,
  qrCodes: 0,
};

describe('a host that dies without a word', () => {
  test('loses nothing and repeats nothing, wherever it dies', { timeout: 120_000 }, async () => {
    const deaths = [3, 5, 8, 13, 21].flatMap((count): Death[] => [
      { at: 'append', count },
      { at: 'write', count },
      { at: 'milliseconds', count: count * 17 },
    ]);
    const { faults, sizes } = await lead('killed', '4915200000001', deaths, { gate: 'durable', writeMs: 4 });
    expect(faults).toEqual(NONE);
    expect(sizes.said + sizes.asked).toBeGreaterThan(100);
  });

  test('loses messages and uses counters again where frames do not wait', { timeout: 120_000 }, async () => {
    const { faults } = await lead('ungated', '4915200000002', untilHarmed(), { gate: 'off', writeMs: 60 });
    expect(faults.reusedCounters).toBeGreaterThan(0);
    expect(faults.lostIn.length + faults.undecryptable).toBeGreaterThan(0);
  });

  test('in the middle of pairing costs at most another QR code, and never a second device', {
    timeout: 120_000,
  }, async () => {
    const { simulator } = world;
    const points = [1, 2, 3, 4, 5, 6, 8, 11, 15];
    const outcomes = points.flatMap((count) => [
      { at: 'append' as const, count, since: 'started' as const },
      { at: 'write' as const, count, since: 'started' as const },
    ]);
    for (const [index, death] of outcomes.entries()) {
      const phone = `49153000000${String(index).padStart(2, '0')}`;
      const session = new MortalSession(simulator, `pairing-${index}`, { gate: 'durable', writeMs: 4 });
      const first = session.start(death);
      const paired = scanWhenShown(first.harness, phone);
      await Promise.race([first.died, paired]);
      session.kill();
      const { harness } = session.start();
      await scanWhenShown(harness, phone);
      await session.settled();
      session.kill();
      const { harness: last } = session.start();
      await last.reaches('WORKING');
      expect(
        last.states.map(({ status }) => status),
        `death ${index}`,
      ).not.toContain('SCAN_QR_CODE');
      const devices = simulator.accounts().find((account) => account.phone === phone)?.devices;
      expect(
        devices?.filter(({ online }) => online),
        `death ${index}`,
      ).toHaveLength(1);
      await session.bury();
    }
  });
});
