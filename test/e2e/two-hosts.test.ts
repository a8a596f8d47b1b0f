import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#localstack/demo/until.ts';
import { type Accepted, readSession, send } from '#test/support/api-reads.ts';
import { RecordedEvents } from '#test/support/recorded-events.ts';
import { type RunningPlatform, runPlatform } from '#test/support/running-platform.ts';
import { settle } from '#test/support/session-walk.ts';
import { addContact, complaints, NO_COMPLAINTS, type SimulatedContact } from '#test/support/simulated-contact.ts';

const SESSIONS = ['one', 'two', 'three', 'four'];
/** Shorter than the real ones, in the same proportions. */
const TIMINGS = { HEARTBEAT_MS: '500', SUSPEND_AFTER_MS: '1500', DEAD_AFTER_MS: '2000', OBSERVE_MS: '200' };

let running: RunningPlatform;
let events: RecordedEvents;
let ada: SimulatedContact;
const phones = new Map<string, string>();

beforeAll(async () => {
  running = await runPlatform({ hosts: 2, shards: 4, hostEnv: TIMINGS });
  events = await RecordedEvents.start(running.platform, 'recorder');
  ada = await addContact(running, 'Ada');
  for (const session of SESSIONS) phones.set(session, await running.pair(session));
});
afterAll(() => running?.stop());

const hostOf = async (session: string) => (await readSession(running.api, session)).assignedWorker;
const hosts = () => Promise.all(SESSIONS.map(hostOf));

/** Every session sends to the contact and hears from it. */
async function everybodyTalks(round: string): Promise<void> {
  const sent = new Map<string, Accepted>();
  for (const session of SESSIONS) {
    sent.set(
      session,
      await send(running.api, 'sendText', { session, chatId: ada.chatId, text: `${round} ${session}` }),
    );
  }
  for (const { bareId } of sent.values()) await ada.received(bareId);
  for (const [session, phone] of phones) {
    const id = await ada.send(phone, { text: `${round} to ${session}` });
    await events.next('message', (event) => event.session === session && event.payload.id.includes(id));
  }
  const texts = (await ada.inbox()).flatMap(({ text }) => (text?.startsWith(round) ? [text] : []));
  expect(texts.toSorted()).toEqual(SESSIONS.map((session) => `${round} ${session}`).toSorted());
}

async function expectNoQrCodes(): Promise<void> {
  await events.drain();
  for (const session of SESSIONS) {
    const statuses = events
      .of(session, 'session.status')
      .flatMap((event) => (event.event === 'session.status' ? [event.payload.status] : []));
    expect(statuses.filter((status) => status === 'SCAN_QR_CODE')).toHaveLength(1);
  }
}

describe('two hosts', { timeout: 90_000 }, () => {
  it('share the sessions, which work on both', async () => {
    await until('sessions on both hosts', async () => (new Set(await hosts()).size === 2 ? true : undefined));
    await everybodyTalks('First');
  });

  it('one takes over what the other had when it hangs, and the other comes back without harm', async () => {
    const before = await hosts();
    const lost = SESSIONS.filter((_session, index) => before[index] === 'host-1');
    expect(lost.length).toBeGreaterThan(0);
    expect(running.platform.hosts.kill('host-1', 'SIGSTOP')).toBe(true);
    try {
      await until('all sessions on host-2', async () =>
        (await hosts()).every((host) => host === 'host-2') ? true : undefined,
      );
      for (const session of SESSIONS) await settle(events, session, 'WORKING');
      await everybodyTalks('Taken over');
    } finally {
      running.platform.hosts.kill('host-1', 'SIGCONT');
    }
    await everybodyTalks('Awake again');
    await expectNoQrCodes();
  });

  it('survive the death of one', async () => {
    const pid = running.platform.hosts.pids().get('host-2');
    expect(running.platform.hosts.kill('host-2', 'SIGKILL')).toBe(true);
    await until('its death', async () => (running.platform.hosts.pids().get('host-2') === pid ? undefined : true));
    await everybodyTalks('After a death');
    await until('sessions on both hosts again', async () => (new Set(await hosts()).size === 2 ? true : undefined));
    await everybodyTalks('Shared again');
    await expectNoQrCodes();
  });

  it('give the simulator nothing to complain about', async () => {
    expect(await complaints(running)).toEqual(NO_COMPLAINTS);
  });
});
