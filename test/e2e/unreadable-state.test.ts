import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '#localstack/demo/until.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { readSession } from '#test/support/api-reads.ts';
import { RecordedEvents } from '#test/support/recorded-events.ts';
import { type RunningPlatform, runPlatform, untilStatus } from '#test/support/running-platform.ts';
import { addContact, type SimulatedContact } from '#test/support/simulated-contact.ts';
import { WebhookReceiver } from '#test/support/webhook-receiver.ts';

const SESSION = 'damaged';

let running: RunningPlatform;
let receiver: WebhookReceiver;
let events: RecordedEvents;
let ada: SimulatedContact;
let own: string;

beforeAll(async () => {
  running = await runPlatform({ functionEnv: { WEBHOOK_ALLOW_PRIVATE_HOSTS: '127.0.0.1' } });
  receiver = await WebhookReceiver.start();
  events = await RecordedEvents.start(running.platform, 'recorder');
  own = await running.pair(SESSION);
  ada = await addContact(running, 'Ada');
  await running.api.raw('PUT', `/api/sessions/${SESSION}`, {
    config: { webhooks: [{ url: receiver.url, events: ['session.status', 'message'] }] },
  });
});
afterAll(async () => {
  await running?.stop();
  await receiver?.down();
});

const act = (what: string) => running.api.post(`/api/sessions/${SESSION}/${what}`);
const isFailure = ({ event, payload }: { event: string; payload: object }) =>
  event === 'session.status' && JSON.stringify(payload).includes('"reason":"state-unreadable"');

const rowWhen = async (what: string, wanted: (row: SessionRow) => boolean) =>
  await until(what, async () => {
    const { cloud, names } = running.platform;
    const dynamo = DynamoDBDocumentClient.from(cloud.clients.dynamodb);
    const row = await new DynamoDbSessionStore(dynamo, names.tables.sessions).get(SESSION);
    return row !== undefined && wanted(row) ? row : undefined;
  });

it('a stored login that is damaged is told of, and one that is mended goes on behind that', async () => {
  await receiver.message(await ada.send(own, { text: 'Before' }));
  await act('stop');
  await untilStatus(running.api, SESSION, 'STOPPED');
  const { checkpoint } = await rowWhen('a checkpoint', (row) => row.checkpoint !== null);
  const place = { Bucket: running.platform.names.buckets.state, Key: checkpoint?.key };
  const { s3 } = running.platform.cloud.clients;
  const { Body } = await s3.send(new GetObjectCommand(place));
  const whole = (await Body?.transformToByteArray()) ?? new Uint8Array();
  await s3.send(new PutObjectCommand({ ...place, Body: whole.map((byte) => byte ^ 1) }));
  // The one that has stopped it may still have the state in memory.
  running.platform.hosts.kill('host-1', 'SIGKILL');
  await act('start');
  const { event: failed } = await receiver.post('the failure', ({ event }) => isFailure(event));
  expect(failed).toMatchObject({ payload: { name: SESSION, status: 'FAILED' }, me: { id: `${own}@c.us` } });
  await events.next('session.status', ({ id }) => id === failed.id);
  expect(await readSession(running.api, SESSION)).toMatchObject({
    status: 'FAILED',
    statusReason: 'state-unreadable',
  });
  const { epoch } = await rowWhen('what was told', ({ untold }) => untold === null);
  running.platform.hosts.kill('host-1', 'SIGKILL');
  await rowWhen('the next host to find the same', (row) => row.epoch > epoch);

  await s3.send(new PutObjectCommand({ ...place, Body: whole }));
  running.platform.hosts.kill('host-1', 'SIGKILL');
  await untilStatus(running.api, SESSION, 'WORKING');
  const { event: after } = await receiver.message(await ada.send(own, { text: 'After' }));
  expect(after.seq).toBeGreaterThan(failed.seq);
  expect(receiver.events.filter(isFailure).map(({ id }) => id)).toEqual([failed.id]);
  const seqs = new Map(receiver.events.map(({ id, seq }) => [id, seq]));
  expect(new Set(seqs.values()).size).toBe(seqs.size);
}, 120_000);
