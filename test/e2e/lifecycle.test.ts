import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { until } from '#localstack/demo/until.ts';
import { pairingCodeSchema, sessionInfoSchema } from '#shared/contracts/api/bodies.ts';
import { readJob, readMessages, readSession, send, untilMessage, untilQr } from '#test/support/api-reads.ts';
import { RecordedEvents } from '#test/support/recorded-events.ts';
import { type RunningPlatform, runPlatform, untilStatus } from '#test/support/running-platform.ts';
import { settle, walk } from '#test/support/session-walk.ts';
import { addContact, complaints, NO_COMPLAINTS, type SimulatedContact } from '#test/support/simulated-contact.ts';

let running: RunningPlatform;
let events: RecordedEvents;
let ada: SimulatedContact;
/** The phone behind the session `main`. */
let own: string;

beforeAll(async () => {
  running = await runPlatform();
  events = await RecordedEvents.start(running.platform, 'recorder');
  ada = await addContact(running, 'Ada');
  own = await running.pair('main');
  await settle(events, 'main', 'WORKING');
});
afterAll(() => running?.stop());

const act = (session: string, action: string) => running.api.post(`/api/sessions/${session}/${action}`);
const text = (session: string, body: string) =>
  send(running.api, 'sendText', { session, chatId: ada.chatId, text: body });
const device = async (phone: string): Promise<number> => {
  const response = await fetch(`${running.simulator.adminUrl}/admin/accounts`);
  const accounts = z
    .array(z.object({ phone: z.string(), devices: z.array(z.object({ id: z.number() })) }))
    .parse(await response.json());
  return Math.max(0, ...(accounts.find((account) => account.phone === phone)?.devices.map(({ id }) => id) ?? []));
};

async function canSendAndReceive(session: string, phone: string): Promise<void> {
  const { bareId } = await text(session, `From ${session}`);
  await ada.received(bareId);
  const id = await ada.send(phone, { text: `To ${session}` });
  await events.next('message', (event) => event.session === session && event.payload.id.includes(id));
}

describe('pairing', () => {
  it('by a code that is typed on the phone', async () => {
    const phone = '4915199990001';
    await running.api.post('/api/sessions', { name: 'coded' });
    await untilStatus(running.api, 'coded', 'SCAN_QR_CODE');
    const answer = await running.api.post('/api/coded/auth/request-code', { phoneNumber: phone });
    const { code } = pairingCodeSchema.parse(answer);
    expect(code).toMatch(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
    await running.whatsapp.enterCode(phone, code);
    await untilStatus(running.api, 'coded', 'WORKING');
    expect((await readSession(running.api, 'coded')).me).toMatchObject({ id: `${phone}@c.us` });
    await canSendAndReceive('coded', phone);
  });

  it('by a QR code, of which there is none while the session is WORKING', async () => {
    expect(await running.api.get('/api/sessions/main/me')).toMatchObject({ id: `${own}@c.us` });
    const status = await running.api.raw('GET', '/api/main/auth/qr').catch((error: { status: number }) => error.status);
    expect(status).toBe(422);
  });
});

describe('a paired session', () => {
  it('stops and starts without a QR code', async () => {
    expect(await walk(events, 'main', () => act('main', 'stop'), 'STOPPED')).toEqual(['STOPPED']);
    const names = async (query: string) =>
      z
        .array(sessionInfoSchema)
        .parse(await running.api.get(`/api/sessions${query}`))
        .map(({ name }) => name);
    expect(await names('')).not.toContain('main');
    expect(await names('?all=true')).toContain('main');
    expect(await walk(events, 'main', () => act('main', 'start'), 'WORKING')).toEqual(['STARTING', 'WORKING']);
    await canSendAndReceive('main', own);
  });

  it('restarts without a QR code', async () => {
    const way = await walk(events, 'main', () => act('main', 'restart'), 'WORKING');
    expect(way).not.toContain('SCAN_QR_CODE');
    expect(way.slice(-2)).toEqual(['STARTING', 'WORKING']);
    await canSendAndReceive('main', own);
  });

  it('stays as it is when it is started again', async () => {
    await act('main', 'start');
    await canSendAndReceive('main', own);
    expect((await readSession(running.api, 'main')).status).toBe('WORKING');
  });

  it('takes another configuration and tells its metadata with every event', async () => {
    const config = { metadata: { 'user.id': '123' } };
    const way = await walk(events, 'main', () => running.api.raw('PUT', '/api/sessions/main', { config }), 'WORKING');
    expect(way).not.toContain('SCAN_QR_CODE');
    expect((await readSession(running.api, 'main')).config).toMatchObject(config);
    const id = await ada.send(own, { text: 'With metadata' });
    const event = await events.next('message', ({ payload }) => payload.id.includes(id));
    expect(event.metadata).toEqual(config.metadata);
  });
});

describe('while a session is stopped', () => {
  it('sends wait, and go out in their order after the start', async () => {
    await walk(events, 'main', () => act('main', 'stop'), 'STOPPED');
    const bodies = ['Waiting 1', 'Waiting 2', 'Waiting 3'];
    const waiting = [];
    for (const body of bodies) waiting.push(await text('main', body));
    for (const { jobId } of waiting) expect((await readJob(running.api, 'main', jobId)).state).toBe('QUEUED');
    await walk(events, 'main', () => act('main', 'start'), 'WORKING');
    for (const { bareId } of waiting) await ada.received(bareId);
    const arrived = (await ada.inbox()).flatMap((message) =>
      message.text?.startsWith('Waiting') ? [message.text] : [],
    );
    expect(arrived).toEqual(bodies);
  });

  it('what people write becomes events after the start', async () => {
    await walk(events, 'main', () => act('main', 'stop'), 'STOPPED');
    const ids = [];
    for (let n = 1; n <= 3; n += 1) ids.push(await ada.send(own, { text: `While you slept ${n}` }));
    // Reading needs no engine.
    expect((await readMessages(running.api, 'main', ada.chatId)).length).toBeGreaterThan(0);
    await act('main', 'start');
    for (const id of ids) {
      await events.next('message', ({ payload }) => payload.id.includes(id));
      await untilMessage(running.api, 'main', ada.chatId, id);
    }
    await settle(events, 'main', 'WORKING');
  });
});

describe('when the host dies', { timeout: 90_000 }, () => {
  it('the session is WORKING again without a QR code, and what was accepted meanwhile goes out', async () => {
    const { hosts } = running.platform;
    let accepted: Awaited<ReturnType<typeof text>> | undefined;
    let written = '';
    const way = await walk(
      events,
      'main',
      async () => {
        const pid = hosts.pids().get('host-1');
        expect(hosts.kill('host-1', 'SIGKILL')).toBe(true);
        await until('the death of the host', async () => (hosts.pids().get('host-1') === pid ? undefined : true));
        accepted = await text('main', 'Accepted while nobody was there');
        written = await ada.send(own, { text: 'Written while nobody was there' });
      },
      'WORKING',
    );
    expect(way).not.toContain('SCAN_QR_CODE');
    expect(await ada.received(accepted?.bareId ?? '')).toMatchObject({ text: 'Accepted while nobody was there' });
    await events.next('message', ({ payload }) => payload.id.includes(written));
    await canSendAndReceive('main', own);
    expect((await ada.inbox()).filter(({ id }) => id === accepted?.bareId)).toHaveLength(1);
  });

  it('what was under way is sent by the next, once', async () => {
    const sends: unknown[] = [];
    const way = await walk(
      events,
      'main',
      async () => {
        for (let n = 1; n <= 4; n += 1) sends.push(await text('main', `Under way ${n}`));
        running.platform.hosts.kill('host-1', 'SIGKILL');
      },
      'WORKING',
    );
    expect(way).not.toContain('SCAN_QR_CODE');
    await ada.received((await text('main', 'Under way, the last')).bareId);
    const arrived = (await ada.inbox()).flatMap((each) => (each.text?.startsWith('Under way') ? [each.text] : []));
    expect(arrived).toEqual(['Under way 1', 'Under way 2', 'Under way 3', 'Under way 4', 'Under way, the last']);
  });
});

describe('a server that does not prove to be WhatsApp', () => {
  it('does not get the login, which works again where it is WhatsApp', async () => {
    const fault = (kind: string, more: object) => running.whatsapp.post('/admin/faults', { kind, ...more });
    const told = events.next(
      'session.status',
      ({ session, payload }) => session === 'main' && payload.data?.reason === 'server-identity',
    );
    await fault('false-identity', { count: 1 });
    await fault('cut', { match: { phone: own } });
    expect((await told).payload).toMatchObject({
      status: 'STARTING',
      data: { message: expect.stringContaining("did not prove that it is WhatsApp's") },
    });
    expect(await readSession(running.api, 'main')).toMatchObject({
      status: 'STARTING',
      statusReason: 'server-identity',
      me: { id: `${own}@c.us` },
    });
    await walk(events, 'main', () => act('main', 'restart'), 'WORKING');
    await canSendAndReceive('main', own);
  });
});

describe('the end of a login', () => {
  it('logout gives a new QR code, and the session can be paired again', async () => {
    const way = await walk(events, 'main', () => act('main', 'logout'), 'SCAN_QR_CODE');
    expect(way).not.toContain('WORKING');
    expect(await running.api.get('/api/sessions/main/me')).toBeNull();
    expect(await device(own)).toBe(0);
    await walk(
      events,
      'main',
      async () => {
        own = (await running.whatsapp.scan(await untilQr(running.api, 'main'), '4915199990002')).phone;
      },
      'WORKING',
    );
    expect(await running.api.get('/api/sessions/main/me')).toMatchObject({ id: '4915199990002@c.us' });
    await canSendAndReceive('main', own);
  });

  it('a phone that unlinks the device makes the session FAILED, and it can be paired again', async () => {
    const unlink = async () => running.whatsapp.post(`/admin/phones/${own}/unlink`, { device: await device(own) });
    await walk(events, 'main', unlink, 'FAILED');
    expect(await readSession(running.api, 'main')).toMatchObject({ status: 'FAILED', statusReason: 'logged-out' });
    await walk(events, 'main', () => act('main', 'start'), 'SCAN_QR_CODE');
    await walk(events, 'main', async () => running.whatsapp.scan(await untilQr(running.api, 'main'), own), 'WORKING');
    await canSendAndReceive('main', own);
  });

  it('a deleted session is gone with its chats and its device, and its name is free', async () => {
    const phone = await running.pair('short-lived');
    await canSendAndReceive('short-lived', phone);
    await running.api.raw('DELETE', '/api/sessions/short-lived');
    await expect(readSession(running.api, 'short-lived')).rejects.toMatchObject({ status: 404 });
    await until('the device to be unlinked', async () => ((await device(phone)) === 0 ? true : undefined));
    const second = await until('the name to be free', async () =>
      running.pair('short-lived').catch((error: { status?: number }) => {
        if (error.status !== 422 && error.status !== 409) throw error;
        return undefined;
      }),
    );
    expect(await readMessages(running.api, 'short-lived', 'all')).toEqual([]);
    await canSendAndReceive('short-lived', second);
  });

  it('deleting twice, and what does not exist, is no error', async () => {
    expect((await running.api.raw('DELETE', '/api/sessions/coded')).status).toBe(200);
    expect((await running.api.raw('DELETE', '/api/sessions/coded')).status).toBe(200);
    expect((await running.api.raw('DELETE', '/api/sessions/never-there')).status).toBe(200);
  });
});

describe('when everything is stopped and started again', { timeout: 90_000 }, () => {
  it('key, sessions and chats are as they were, without a QR code', async () => {
    const { apiKey } = running.platform;
    const before = await readMessages(running.api, 'main', ada.chatId);
    await act('short-lived', 'stop');
    await untilStatus(running.api, 'short-lived', 'STOPPED');
    const waiting = await text('short-lived', 'Still waiting');
    running = await running.restart();
    expect(running.platform.apiKey).toBe(apiKey);
    expect(await readMessages(running.api, 'main', ada.chatId)).toEqual(
      before.map((message) => ({ ...message, media: message.media && expect.anything() })),
    );
    const again = await RecordedEvents.start(running.platform, 'recorder-2');
    events = again;
    await settle(events, 'main', 'WORKING');
    expect(await readSession(running.api, 'main')).toMatchObject({ status: 'WORKING', me: { id: `${own}@c.us` } });
    await canSendAndReceive('main', own);
    const statuses = events.of('main', 'session.status').map(({ payload }) => JSON.stringify(payload));
    expect(statuses.some((payload) => payload.includes('"status":"SCAN_QR_CODE","st'))).toBe(false);
    expect((await readSession(running.api, 'short-lived')).status).toBe('STOPPED');
    await act('short-lived', 'start');
    await ada.received(waiting.bareId);
  });

  it('the simulator has nothing to complain about', async () => {
    expect(await complaints(running)).toEqual(NO_COMPLAINTS);
  });
});
