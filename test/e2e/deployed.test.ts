import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { ApiClient } from '#localstack/demo/api-client.ts';
import { until } from '#localstack/demo/until.ts';
import { createClients } from '#localstack/embedded/cloud-clients.ts';
import { type HostProcesses, startHostProcesses } from '#localstack/embedded/host-processes.ts';
import { SimulatorAdmin } from '#localstack/start/simulator-admin.ts';
import { type SimulatorProcess, startSimulatorProcess } from '#localstack/start/simulator-process.ts';
import { createEcsClient, EcsHostLauncher } from '#shared/adapters/ecs-host-launcher.ts';
import { apiKeySchema } from '#shared/contracts/api/keys.ts';
import { auditEntrySchema } from '#shared/contracts/audit.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { setEnv } from '#test/contracts/aws-backing.ts';
import { readJob, send, untilMessage, untilQr } from '#test/support/api-reads.ts';
import { untilStatus } from '#test/support/running-platform.ts';
import { addContact } from '#test/support/simulated-contact.ts';
import { StreamClient } from '#test/support/stream-client.ts';
import { isMessage } from '#test/support/webhook-receiver.ts';
import { whyNot } from '#test/target/needs.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Written by `npm run deploy:local`. */
const DEPLOYMENT = join(ROOT, '.trunkline/deploy-local/deployment.json');
const deploymentSchema = z.object({
  apiUrl: z.url(),
  streamUrl: z.url(),
  apiKey: z.string(),
  env: z.object({ RESOURCE_PREFIX: z.string(), BUCKET_SUFFIX: z.string(), PUBLIC_URL: z.url() }).catchall(z.string()),
});
const absent = whyNot('stacks') ?? 'nothing is deployed: `npm run deploy:local` does it, to an emulator';
const isAbsent = whyNot('stacks') !== undefined || !existsSync(DEPLOYMENT);

/** The functions as Lambda runs them, behind the API Gateway of the stacks. The host is a process of this machine. */
describe('the deployed stacks', { timeout: 120_000 }, () => {
  const session = `deployed-${randomBytes(3).toString('hex')}`;
  let folder: string;
  let simulator: SimulatorProcess;
  let hosts: HostProcesses | undefined;
  let api: ApiClient;
  let env: z.infer<typeof deploymentSchema>['env'];
  let apiUrl: string;
  let apiKey: string;
  let openStream: (key: string) => Promise<StreamClient | number>;

  beforeAll(async () => {
    if (isAbsent) return;
    const deployment = deploymentSchema.parse(JSON.parse(readFileSync(DEPLOYMENT, 'utf8')));
    env = { ...deployment.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    apiUrl = deployment.apiUrl;
    const streams = deployment.streamUrl.replace(/\/ws$/, '');
    openStream = (key) => StreamClient.open(streams, key, [['session', session]]);
    apiKey = deployment.apiKey;
    api = new ApiClient(apiUrl, apiKey);
    folder = await mkdtemp(join(tmpdir(), 'trunkline-deployed-'));
    simulator = await startSimulatorProcess(join(folder, 'whatsapp'));
  });
  afterAll(async () => {
    if (isAbsent) return;
    await hosts?.stop();
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('refuse who has no key, and make a request a job on the queue of its shard', async (context) => {
    context.skip(isAbsent, absent);
    expect((await fetch(`${apiUrl}/api/sessions`)).status).toBe(401);
    await api.post('/api/sessions', { name: session });
    const { tables, shardQueue } = resourceNames(env);
    const { dynamodb, sqs } = createClients(env);
    const Key = { name: { S: session } };
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: tables.sessions, Key }));
    const queue = await sqs.send(new GetQueueUrlCommand({ QueueName: shardQueue(Item?.shard?.S ?? '') }));
    const waiting = async () => {
      const AttributeNames = ['ApproximateNumberOfMessages' as const];
      const asked = new GetQueueAttributesCommand({ QueueUrl: queue.QueueUrl, AttributeNames });
      return Number((await sqs.send(asked)).Attributes?.ApproximateNumberOfMessages);
    };
    const before = await waiting();
    const sent = await send(api, 'sendText', { session, chatId: '4915112345678', text: 'Waits' });
    expect(await readJob(api, session, sent.jobId)).toMatchObject({ state: 'QUEUED', attempts: 0 });
    await until('its message', async () => ((await waiting()) > before ? true : undefined));
    await api.raw('DELETE', `/api/${session}/jobs/${sent.jobId}`);
  });

  it('know the keys that they have made themselves, until they are deleted', async (context) => {
    context.skip(isAbsent, absent);
    const body = { session, actions: { read: true } };
    const { id, key } = apiKeySchema.parse(await api.post('/api/keys', body));
    const status = async (path: string) => (await fetch(`${apiUrl}${path}`, { headers: { 'x-api-key': key } })).status;
    expect(await status(`/api/sessions/${session}`)).toBe(200);
    expect(await status('/api/keys')).toBe(403);
    const { entries } = z
      .object({ entries: z.array(auditEntrySchema) })
      .parse(await api.get(`/api/audit?session=${session}`));
    expect(entries[0]).toMatchObject({ operation: 'createKey', keyId: id, outcome: 'done' });
    await api.raw('DELETE', `/api/keys/${id}`);
    await until('401', async () => ((await status(`/api/sessions/${session}`)) === 401 ? true : undefined), 5_000);
  });

  it('ask ECS for a host as soon as a session wants one', async (context) => {
    context.skip(isAbsent, absent);
    const restoreEnv = setEnv(env);
    onTestFinished(restoreEnv);
    const client = createEcsClient();
    onTestFinished(() => client.destroy());
    const cluster = env.RESOURCE_PREFIX;
    const launcher = new EcsHostLauncher(client, { cluster, services: { socket: `${cluster}-socket` } });
    const hasService = await launcher.count('socket').then(
      () => true,
      (error: unknown) => !(error instanceof DependencyError),
    );
    context.skip(!hasService, 'the hosts are not deployed: `npm run deploy:local -- -c hostImage=…` does it');
    await launcher.want('socket', 0);
    await api.post(`/api/sessions/${session}/restart`, {});
    await until('a host asked for', async () => ((await launcher.count('socket')).wanted === 1 ? true : undefined));
  });

  it('pair a session, send, and hear of it through bus, rule, queue and function, and on a stream, pictures too', async (context) => {
    context.skip(isAbsent, absent);
    hosts = startHostProcesses({
      program: join(ROOT, 'engine-host/host/main.ts'),
      count: 1,
      env: {
        PATH: process.env.PATH,
        ...env,
        SHARD_COUNT: '8',
        STATE_KMS_KEY_ID: `alias/${env.RESOURCE_PREFIX}/state`,
        WHATSAPP_WS_URL: simulator.wsUrl,
        WHATSAPP_ROOT_KEY: simulator.rootKey,
        NODE_EXTRA_CA_CERTS: simulator.caFile,
        PACING_DEFAULT_PROFILE: 'off',
      },
    });
    const whatsapp = new SimulatorAdmin(simulator.adminUrl);
    const { phone } = await whatsapp.scan(await untilQr(api, session));
    await untilStatus(api, session, 'WORKING');
    const ada = await addContact({ simulator, whatsapp }, 'Ada');
    // API Gateway says 401, as the function behind it does; emulators say what they like.
    expect(await openStream('wrong')).toEqual(expect.any(Number));
    const stream = await openStream(apiKey);
    if (typeof stream === 'number') throw new Error(`The stream was refused with ${stream}.`);
    const sent = await send(api, 'sendText', { session, chatId: ada.chatId, text: 'From the stacks' });
    expect(await ada.received(sent.bareId)).toMatchObject({ text: 'From the stacks' });
    await untilMessage(api, session, ada.chatId, sent.bareId, ({ ack }) => ack >= 1);
    const answer = await ada.send(phone, { text: 'Heard' });
    expect(await untilMessage(api, session, ada.chatId, answer)).toMatchObject({ body: 'Heard', fromMe: false });
    const isTold = () => stream.events.some((event) => event.event === 'message' && event.payload.body === 'Heard');
    await until('the message on the stream', async () => (isTold() ? true : undefined));
    const bytes = randomBytes(1_000);
    const picture = await ada.send(phone, { image: { data: bytes.toString('base64'), mimetype: 'image/jpeg' } });
    const told = await until('the picture on the stream', async () => {
      const event = stream.events.find((one) => isMessage(one, picture));
      return event?.event === 'message' ? event.payload : undefined;
    });
    const file = await fetch(told.media?.url ?? '', { headers: { 'x-api-key': apiKey } });
    expect(Buffer.from(await file.arrayBuffer()).equals(bytes)).toBe(true);
    stream.cut();
    await api.raw('DELETE', `/api/sessions/${session}`);
  });
});
