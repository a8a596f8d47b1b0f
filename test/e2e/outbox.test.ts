import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetQueueUrlCommand, PurgeQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { until } from '#localstack/demo/until.ts';
import { jobSchema } from '#shared/contracts/api/bodies.ts';
import { readJob, send, untilJob } from '#test/support/api-reads.ts';
import { type RunningPlatform, runPlatform, untilStatus } from '#test/support/running-platform.ts';
import { addContact, complaints, NO_COMPLAINTS, type SimulatedContact } from '#test/support/simulated-contact.ts';

const SESSION = 'main';
const CAP = 6;

let running: RunningPlatform;
let ada: SimulatedContact;
let shardQueue: string;

beforeAll(async () => {
  running = await runPlatform({
    functionEnv: { SESSION_BACKLOG_CAP: String(CAP), RECONCILE_AFTER_SECONDS: '0', RECONCILE_AGAIN_SECONDS: '0' },
  });
  ada = await addContact(running, 'Ada');
  await running.pair(SESSION);
  const { tables, shardQueue: queueName } = running.platform.names;
  const key = { TableName: tables.sessions, Key: { name: { S: SESSION } } };
  const { Item } = await running.platform.cloud.clients.dynamodb.send(new GetItemCommand(key));
  shardQueue = await queueUrl(queueName(Item?.shard?.S ?? ''));
});
afterAll(() => running?.stop());

const sqs = () => running.platform.cloud.clients.sqs;
const queueUrl = async (QueueName: string) => (await sqs().send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? '';
const text = (words: string) => send(running.api, 'sendText', { session: SESSION, chatId: ada.chatId, text: words });
const seen = async (words: string) => (await ada.inbox()).filter((entry) => entry.text === words).length;
const reconcile = () => running.platform.cloud.functions.invoke('reconciler', {});

/** One more message about a job. */
async function wake(jobId: string, id: string): Promise<void> {
  const MessageBody = JSON.stringify({ kind: 'job', session: SESSION, jobId });
  const fifo = { MessageGroupId: SESSION, MessageDeduplicationId: `${jobId}-${id}` };
  await sqs().send(new SendMessageCommand({ QueueUrl: shardQueue, MessageBody, ...fifo }));
}

async function stop(): Promise<void> {
  await running.api.post(`/api/sessions/${SESSION}/stop`);
  await untilStatus(running.api, SESSION, 'STOPPED');
}

async function start(): Promise<void> {
  await running.api.post(`/api/sessions/${SESSION}/start`);
  await untilStatus(running.api, SESSION, 'WORKING');
}

const request = (method: string, path: string, body?: object) =>
  fetch(`${running.platform.url}${path}`, {
    method,
    headers: { 'x-api-key': running.platform.apiKey, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

describe('a send that waits', () => {
  it('never arrives once it was cancelled, and holds nobody up', async () => {
    await stop();
    const [unwanted, wanted] = [await text('Better not'), await text('But this')];
    const cancelled = await request('DELETE', `/api/${SESSION}/jobs/${unwanted.jobId}`);
    expect(cancelled.status).toBe(200);
    expect(jobSchema.parse(await cancelled.json())).toMatchObject({ id: unwanted.jobId, state: 'CANCELLED' });
    await start();
    await ada.received(wanted.bareId);
    expect(await seen('Better not')).toBe(0);
    expect(await readJob(running.api, SESSION, unwanted.jobId)).toMatchObject({ state: 'CANCELLED', attempts: 0 });
    await untilJob(running.api, SESSION, wanted.jobId, ['SENT', 'DELIVERED', 'READ']);
    const late = await request('DELETE', `/api/${SESSION}/jobs/${wanted.jobId}`);
    expect(late.status).toBe(409);
    const jobs = z.array(jobSchema).parse(await running.api.get(`/api/${SESSION}/jobs?limit=2`));
    expect(jobs.map(({ id }) => id).sort()).toEqual([unwanted.jobId, wanted.jobId].sort());
  });

  it('arrives, once and in order, although its message was lost', async () => {
    await stop();
    const lost = [await text('Lost 1'), await text('Lost 2')];
    await sqs().send(new PurgeQueueCommand({ QueueUrl: shardQueue }));
    await start();
    const later = await text('Not lost');
    await ada.received(later.bareId);
    for (const { jobId } of lost) expect(await readJob(running.api, SESSION, jobId)).toMatchObject({ state: 'QUEUED' });
    await reconcile();
    for (const { bareId } of lost) await ada.received(bareId);
    const inbox = (await ada.inbox()).flatMap((entry) => (entry.text?.includes('ost') ? [entry.text] : []));
    expect(inbox).toEqual(['Not lost', 'Lost 1', 'Lost 2']);
  });

  it('is one message to its recipient, however often it is woken', async () => {
    await stop();
    const sent = [await text('Woken 1'), await text('Woken 2')];
    for (const { jobId } of sent) for (let time = 1; time <= 3; time += 1) await wake(jobId, `again-${time}`);
    await start();
    await reconcile();
    for (const { jobId } of sent) await untilJob(running.api, SESSION, jobId, ['SENT', 'DELIVERED', 'READ']);
    await ada.received((await text('After them')).bareId);
    expect(await Promise.all(['Woken 1', 'Woken 2', 'After them'].map(seen))).toEqual([1, 1, 1]);
  });
});

it('accepts no more sends than may wait, and again when they have left', async () => {
  await stop();
  const body = (words: string) => ({ session: SESSION, chatId: ada.chatId, text: words });
  const answers = [];
  for (let index = 0; index <= CAP; index += 1)
    answers.push(await request('POST', '/api/sendText', body(`Full ${index}`)));
  expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: CAP }, () => 201), 429]);
  expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0);
  await start();
  await until('room again', async () => {
    const { status } = await request('POST', '/api/sendText', body('Room again'));
    return status === 201 ? true : undefined;
  });
  await until('the last of them', async () => ((await seen('Room again')) > 0 ? true : undefined));
  for (let index = 0; index <= CAP; index += 1) expect(await seen(`Full ${index}`)).toBe(index < CAP ? 1 : 0);
});

it('puts poison aside with its reason, and its lane goes on', async () => {
  const poison = ['not JSON', JSON.stringify({ kind: 'nonsense' })];
  for (const [index, MessageBody] of poison.entries()) {
    const id = { MessageGroupId: SESSION, MessageDeduplicationId: `poison-${index}` };
    await sqs().send(new SendMessageCommand({ QueueUrl: shardQueue, MessageBody, ...id }));
  }
  const nobody = JSON.stringify({ kind: 'job', session: 'nobody', jobId: 'job_nothing' });
  const id = { MessageGroupId: SESSION, MessageDeduplicationId: 'nobody' };
  await sqs().send(new SendMessageCommand({ QueueUrl: shardQueue, MessageBody: nobody, ...id }));
  await ada.received((await text('Healthy')).bareId);
  const QueueUrl = await queueUrl(running.platform.names.queues.shardDeadLetters);
  const dead = new Map<string, string | undefined>();
  await until('the dead letters', async () => {
    const asked = { QueueUrl, MessageAttributeNames: ['All'], VisibilityTimeout: 0 };
    const { Messages = [] } = await sqs().send(new ReceiveMessageCommand(asked));
    for (const { Body, MessageAttributes } of Messages) dead.set(Body ?? '', MessageAttributes?.reason?.StringValue);
    return Messages.length > 0 ? true : undefined;
  });
  expect([...dead]).toContainEqual(['not JSON', 'unreadable']);
});

it('leaves the simulator without complaints', async () => {
  expect(await complaints(running)).toEqual(NO_COMPLAINTS);
});
