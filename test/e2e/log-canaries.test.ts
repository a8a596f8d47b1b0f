import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiCallError, ApiClient } from '#localstack/demo/api-client.ts';
import { until } from '#localstack/demo/until.ts';
import { pairingCodeSchema } from '#shared/contracts/api/bodies.ts';
import { apiKeySchema } from '#shared/contracts/api/keys.ts';
import { readMessages, send, untilJob, untilQr } from '#test/support/api-reads.ts';
import { brokenJpeg } from '#test/support/media-samples.ts';
import { startPlatformProgram } from '#test/support/platform-program.ts';
import type { Program } from '#test/support/program.ts';
import { untilStatus } from '#test/support/running-platform.ts';
import { StreamClient } from '#test/support/stream-client.ts';

const SESSION = 'canaries';
/** Paired by a code. */
const CODED = 'coded';
const LONGEST_MS = 90_000;

/** Texts that are looked for afterwards. Each stands for something that no log may hold. */
const CANARIES = {
  text: 'canaryText8f1c',
  caption: 'canaryCaption8f1c',
  edited: 'canaryEdited8f1c',
  reply: 'canaryReply8f1c',
  pollQuestion: 'canaryPoll8f1c',
  pollOption: 'canaryOption8f1c',
  place: 'canaryPlace8f1c',
  cardName: 'canaryCard8f1c',
  urlQuery: 'canaryQuery8f1c',
  webhookQuery: 'canaryHookQuery8f1c',
  hmacKey: 'canaryHmac8f1c',
  header: 'canaryHeader8f1c',
  metadata: 'canaryMetadata8f1c',
  wrongKey: 'canaryKey8f1c',
  brokenBody: 'canaryBroken8f1c',
  wrongField: 'canaryWrong8f1c',
  unknownPath: 'canaryPath8f1c',
  contactName: 'canaryContact8f1c',
  idempotencyKey: 'canaryOnce8f1c',
  traceparent: 'canaryTrace8f1c',
  tracestate: 'canaryState8f1c',
  keyName: 'canaryKeyName8f1c',
  streamQuery: 'canaryStreamQuery8f1c',
  streamMessage: 'canaryStreamMessage8f1c',
} as const;

let folder: string;
let program: Program | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-canaries-'));
});
afterAll(async () => {
  program?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** A request that is to be refused. */
async function refused(asked: Promise<unknown>): Promise<void> {
  await expect(asked).rejects.toBeInstanceOf(ApiCallError);
}

it(
  'no log has a text, a number, a code, a key or the query of an address, however much is logged',
  async () => {
    const env = { LOG_LEVEL: 'trace', WEBHOOK_ALLOW_PRIVATE_HOSTS: '127.0.0.1' };
    const platform = await startPlatformProgram(join(folder, 'data'), env, (started) => {
      program = started;
    });
    const { api, whatsapp, url, key } = platform;

    await api.post('/api/sessions', {
      name: SESSION,
      config: {
        metadata: { user: CANARIES.metadata },
        pacing: { profile: 'off' },
        webhooks: [
          {
            url: `http://127.0.0.1:9/hook?token=${CANARIES.webhookQuery}`,
            events: ['*'],
            hmac: { key: CANARIES.hmacKey },
            retries: { policy: 'constant', delaySeconds: 1, attempts: 2 },
            customHeaders: [{ name: 'x-own', value: CANARIES.header }],
          },
        ],
      },
    });
    const qr = await untilQr(api, SESSION);
    const { phone } = await whatsapp.scan(qr);
    await untilStatus(api, SESSION, 'WORKING');
    const codedPhone = '4915199990001';
    await api.post('/api/sessions', { name: CODED });
    await untilStatus(api, CODED, 'SCAN_QR_CODE');
    const { code } = pairingCodeSchema.parse(
      await api.post(`/api/${CODED}/auth/request-code`, { phoneNumber: codedPhone }),
    );
    await whatsapp.enterCode(codedPhone, code);
    await untilStatus(api, CODED, 'WORKING');

    const { key: streamKey } = apiKeySchema.parse(await api.post('/api/keys', { name: CANARIES.keyName }));
    const ofStream = (withKey: string) =>
      StreamClient.open(url, undefined, [
        ['x-api-key', withKey],
        ['session', '*'],
        ['events', '*'],
        ['more', CANARIES.streamQuery],
      ]);
    expect(await ofStream(CANARIES.wrongKey)).toBe(401);
    const stream = await ofStream(streamKey);
    if (typeof stream === 'number') throw new Error(`The stream was refused with ${stream}.`);
    stream.socket.send(CANARIES.streamMessage);

    const contact = await whatsapp.addContact({ name: CANARIES.contactName, script: { reply: 'echo' } });
    const chatId = `${contact.phone}@c.us`;
    const to = { session: SESSION, chatId };

    const headers = {
      'idempotency-key': CANARIES.idempotencyKey,
      traceparent: CANARIES.traceparent,
      tracestate: `vendor=${CANARIES.tracestate}`,
    };
    const sent = await send(api, 'sendText', { ...to, text: CANARIES.text }, headers);
    await until('the echo', async () =>
      (await readMessages(api, SESSION, chatId)).find(({ fromMe, body }) => !fromMe && body === CANARIES.text),
    );
    await until('the echo on the stream', async () =>
      stream.events.find(
        ({ event, payload }) => event === 'message' && JSON.stringify(payload).includes(CANARIES.text),
      ),
    );
    const picture = brokenJpeg().toString('base64');
    await send(api, 'sendImage', {
      ...to,
      file: { mimetype: 'image/png', data: picture },
      caption: CANARIES.caption,
    });
    await send(api, 'sendText', { ...to, text: CANARIES.reply, reply_to: sent.id });
    await send(api, 'sendPoll', { ...to, poll: { name: CANARIES.pollQuestion, options: [CANARIES.pollOption, 'b'] } });
    await send(api, 'sendLocation', { ...to, latitude: 1, longitude: 2, title: CANARIES.place });
    await send(api, 'sendContactVcard', {
      ...to,
      contacts: [{ fullName: CANARIES.cardName, phoneNumber: contact.phone, whatsappId: contact.phone }],
    });
    await api.raw('PUT', `/api/${SESSION}/chats/${chatId}/messages/${sent.id}`, { text: CANARIES.edited });

    // Requests that fail, each in a place of its own.
    const at = (host: string) => ({ mimetype: 'image/png', url: `http://${host}/a.png?token=${CANARIES.urlQuery}` });
    await refused(api.post('/api/sendImage', { ...to, file: at('127.0.0.1:9') }));
    const failing = await send(api, 'sendImage', { ...to, file: at('127.0.0.1') });
    await untilJob(api, SESSION, failing.jobId, ['FAILED']);
    await refused(api.post('/api/sendText', { ...to, text: { wrong: CANARIES.wrongField } }));
    await refused(api.get(`/api/${SESSION}/chats/${CANARIES.unknownPath}/messages?limit=5`));
    await refused(api.get(`/api/nothing/${CANARIES.unknownPath}?x=${CANARIES.urlQuery}`));
    await refused(new ApiClient(url, CANARIES.wrongKey).get('/api/sessions'));
    const broken = await fetch(`${url}/api/sendText`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body: `{"session":"${SESSION}","text":"${CANARIES.brokenBody}`,
    });
    expect(broken.status).toBe(400);
    await refused(api.post(`/api/${SESSION}/auth/request-code`, { phoneNumber: contact.phone }));

    platform.program.kill('SIGTERM');
    expect(await platform.program.exited).toBe(0);
    const sinks = await platform.sinks();
    // Hosts and functions did write there.
    expect(sinks.get('host-1.log')).toContain('"msg":"host started"');
    expect(sinks.get('stdout')).toContain('"name":"api"');
    const bareCode = code.replace('-', '');
    const secrets = { ...CANARIES, qr, phone, contact: contact.phone, codedPhone, code, bareCode, streamKey };
    for (const [sink, text] of sinks) {
      for (const [what, secret] of Object.entries(secrets)) {
        const at = text.indexOf(secret);
        expect(at, `${what} in ${sink}: ${text.slice(Math.max(0, at - 200), at + 80)}`).toBe(-1);
      }
      // The launcher shows the administrator's key to whoever starts it, and nobody else.
      if (sink !== 'stdout') expect(text).not.toContain(key);
    }
  },
  LONGEST_MS,
);
