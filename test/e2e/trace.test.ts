import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { accepted, untilJob, untilQr } from '#test/support/api-reads.ts';
import { startPlatformProgram } from '#test/support/platform-program.ts';
import type { Program } from '#test/support/program.ts';
import { untilStatus } from '#test/support/running-platform.ts';
import { isAbout, WebhookReceiver } from '#test/support/webhook-receiver.ts';

const SESSION = 'traced';
const LONGEST_MS = 90_000;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLERS = `00-${TRACE}-00f067aa0ba902b7-01`;
const IN_TRACE = new RegExp(`^00-${TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`);

const lineSchema = z.looseObject({ name: z.string(), msg: z.string() });
type Line = z.infer<typeof lineSchema>;

let folder: string;
let receiver: WebhookReceiver;
let program: Program | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-trace-'));
  receiver = await WebhookReceiver.start();
});
afterAll(async () => {
  program?.kill('SIGKILL');
  await receiver?.down();
  await rm(folder, { recursive: true, force: true });
});

const matching = (lines: readonly Line[], name: string, msg: string, wanted: Record<string, unknown>) =>
  lines.filter((line) => line.name === name && line.msg === msg && isLike(line, wanted));
const isLike = (line: Line, wanted: Record<string, unknown>) =>
  Object.entries(wanted).every(([field, value]) => line[field] === value);

it(
  'one trace leads from a request over its job and its events to their deliveries',
  async () => {
    // As it is set in AWS.
    const env = { LOG_LEVEL: 'info', WEBHOOK_ALLOW_PRIVATE_HOSTS: '127.0.0.1' };
    const platform = await startPlatformProgram(join(folder, 'data'), env, (started) => {
      program = started;
    });
    const { api, whatsapp } = platform;
    await api.post('/api/sessions', {
      name: SESSION,
      config: {
        pacing: { profile: 'off' },
        webhooks: [{ url: receiver.url, events: ['message', 'message.any', 'message.ack'] }],
      },
    });
    const { phone: own } = await whatsapp.scan(await untilQr(api, SESSION));
    await untilStatus(api, SESSION, 'WORKING');
    const { phone } = await whatsapp.addContact({ name: 'Ada', script: {} });

    const body = { session: SESSION, chatId: `${phone}@c.us`, text: 'Follow me' };
    const answer = await api.raw('POST', '/api/sendText', body, { traceparent: CALLERS });
    const requestId = answer.headers.get('x-request-id');
    expect(requestId).toMatch(/^\S{10,}$/);
    const { jobId, bareId } = accepted(await answer.json());
    await untilJob(api, SESSION, jobId, ['SENT', 'DELIVERED']);

    const message = await receiver.post('the message', ({ event }) => isAbout(event, bareId));
    expect(message.event.event).toBe('message.any');
    expect(message.headers.traceparent).toMatch(IN_TRACE);
    const traceparent = message.headers.traceparent ?? '';
    const ack = await receiver.post('its ack', ({ event }) => event.event === 'message.ack' && isAbout(event, bareId));
    for (const { headers, event } of [message, ack]) {
      expect([headers.traceparent, event.traceparent]).toEqual([traceparent, traceparent]);
    }

    const { id: incoming } = await whatsapp.send(phone, { to: own, text: 'Nobody asked for this' });
    const came = await receiver.message(incoming);
    const [, ownTrace] = /^00-([0-9a-f]{32})-[0-9a-f]{16}-01$/.exec(came.headers.traceparent ?? '') ?? [];
    expect(ownTrace).not.toBe(TRACE);
    const cameAny = await receiver.post(
      'the same',
      ({ event }) => event.event === 'message.any' && isAbout(event, incoming),
    );
    expect(cameAny.headers.traceparent).toBe(came.headers.traceparent);
    await api.raw('POST', `/api/sessions/${SESSION}/restart`, {}, { traceparent: CALLERS });
    await untilStatus(api, SESSION, 'WORKING');

    program?.kill('SIGTERM');
    expect(await program?.exited).toBe(0);
    const texts = [...(await platform.sinks()).values()].flatMap((text) => text.split('\n'));
    const lines = texts.filter((text) => text.startsWith('{')).map((text) => lineSchema.parse(JSON.parse(text)));
    const sent = { operation: 'sendText', status: 201, requestId, jobId, traceparent };
    expect(matching(lines, 'api', 'request', sent)).toHaveLength(1);
    expect(matching(lines, 'engine-host', 'job ended', { jobId, traceparent, state: 'SENT' })).toHaveLength(1);
    for (const { event } of [message, ack]) {
      const delivered = { event: event.id, type: event.event, traceparent, outcome: 'delivered' };
      expect(matching(lines, 'webhook-dispatcher', 'event delivered', delivered)).not.toEqual([]);
    }
    const changes = matching(lines, 'engine-host', 'session changed', {});
    expect(changes.filter((line) => String(line.traceparent).includes(TRACE))).toHaveLength(1);
  },
  LONGEST_MS,
);
