import * as z from 'zod';
import { createAdministratorKey } from '#functions/administrator-key/administrator-key.ts';
import { createApiDeps } from '#functions/api/composition/all-deps.ts';
import { createApiFunctions } from '#functions/api/functions.ts';
import type { SignedCaller } from '#functions/api/signed-caller.ts';
import { createAuthorizer } from '#functions/authorizer/authorizer.ts';
import { createIdentifyKey } from '#functions/authorizer/identify-key.ts';
import { createNoteUse } from '#functions/authorizer/last-used.ts';
import type { FunctionTable } from '#localstack/embedded/function-registry.ts';
import { type LocalCloud, startLocalCloud } from '#localstack/embedded/local-cloud.ts';
import { type AwsClients, createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { DynamoDbAuditLog } from '#shared/adapters/dynamodb-audit-log.ts';
import { DynamoDbChatStore } from '#shared/adapters/dynamodb-chat-store.ts';
import { DynamoDbEventLog } from '#shared/adapters/dynamodb-event-log.ts';
import { DynamoDbJobStore } from '#shared/adapters/dynamodb-job-store.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { DynamoDbWebhookStore } from '#shared/adapters/dynamodb-webhook-store.ts';
import { createPepperReader } from '#shared/adapters/key-pepper-reader.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { apiRoutes } from '#shared/contracts/api/routes.ts';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { webhookEndpoints } from '#shared/contracts/webhooks.ts';
import { eventEnvelope } from '../../contracts/events.ts';
import { jobRow, sessionRow, waMessage } from '../../contracts/rows.ts';
import { allowedBy, permits, type Statement, unneeded } from './policies.ts';
import { type RecordedCall, recordedClients } from './recorded-clients.ts';
import { createResolver } from './resolve.ts';
import { resourcesOf, synthesize } from './synthesis.ts';

/** What the scene consists of. */
export const KEY = 'the-administrator-of-the-test';
export const CHAT = '4915100000001@c.us';
export const MESSAGE = '3EB0AAAAAAAAAAAAAAAAAA';
export const KEY_ID = `key_id_${'0'.repeat(26)}`;
export const EVENT = 'evt_00000000000000000000000000';
export const WEBHOOK = { url: 'http://127.0.0.1:9/', events: ['*'] };
export const ENDPOINT = webhookEndpoints([WEBHOOK], undefined)[0]?.id ?? '';

const SHARDS = 2;
export const ENVIRONMENT = {
  RESOURCE_PREFIX: 'trunkline-dev',
  BUCKET_SUFFIX: '-account-region',
  SHARD_COUNT: String(SHARDS),
  S3_PATH_STYLE: 'true',
  LOG_LEVEL: 'fatal',
  OWNER_WAIT_MS: '0',
  STATE_WAIT_MS: '0',
  COMMAND_WAIT_MS: '0',
  RECONCILE_AFTER_SECONDS: '0',
  WEBHOOK_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
};
export const names = resourceNames(ENVIRONMENT);
export const readPepper = createPepperReader(async () => 'the-pepper-of-the-tests');

export interface Call {
  /** Becomes JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default the administrator's */
  readonly key?: string;
}

/** The API in the local cloud. Each function has clients that note what it asks of AWS, and the role that it would have. */
export class RightsWorld {
  /** How each function of the API finds out who has signed. */
  readonly signedCallers = new Map<string, SignedCaller>();
  /** Actions that AWS does not carry out. */
  readonly failing = new Set<string>();
  readonly #roles = rolesOfFunctions();
  readonly #asked = new Map<string, RecordedCall[]>();
  readonly #before = { ...process.env };
  #cloud: LocalCloud | undefined;
  #clients: AwsClients | undefined;

  async start(): Promise<void> {
    this.#cloud = await startLocalCloud({
      resources: { ...resourceDefinition(SHARDS, names), eventSources: [], schedules: [] },
      functions: (env) => {
        Object.assign(process.env, env);
        this.#clients = createAwsClients({ pathStyle: true });
        return this.#functionTable();
      },
      api: { routes: apiRoutes(), authorizer: { functionName: 'authorizer' } },
    });
    const { dynamo } = this.clientsOf('administrator-key');
    const keys = new DynamoDbApiKeyStore(dynamo, names.tables.apiKeys);
    const audit = new DynamoDbAuditLog(dynamo, names.tables.audit);
    await createAdministratorKey({ keys, audit, readKey: async () => KEY, readPepper, clock: systemClock })();
  }

  async stop(): Promise<void> {
    await this.#cloud?.stop();
    destroyAwsClients(this.clients);
    process.env = this.#before;
  }

  /** Of nobody's role. */
  get clients(): AwsClients {
    if (this.#clients === undefined) throw new Error('the cloud is not there');
    return this.#clients;
  }

  /** For a function that is made here: what it asks of AWS is noted from now on. */
  clientsOf(name: string): AwsClients {
    const calls: RecordedCall[] = [];
    this.#asked.set(name, calls);
    return recordedClients(this.clients, (call) => {
      calls.push(call);
      if (this.failing.has(call.action)) throw new Error(`${call.action} does not work`);
    });
  }

  note(name: string, call: RecordedCall): void {
    this.#asked.get(name)?.push(call);
  }

  /** Actions that a function has asked for, each once. */
  asked(name: string): readonly string[] {
    return [...new Set(this.#asked.get(name)?.map(({ action }) => action))].sort();
  }

  /** What a function has asked for and may not. */
  refused(name: string): readonly string[] {
    const calls = (this.#asked.get(name) ?? []).filter(
      (call) => !permits(this.#role(name), call.action, call.arn, call),
    );
    return [...new Set(calls.map(({ action, arn }) => `${action} ${arn}`))];
  }

  /** What the functions may do with tables and have not asked for. */
  unneeded(of: readonly string[]): readonly string[] {
    return of.flatMap((name) => unneeded(name, this.#role(name), this.#asked.get(name) ?? [])).sort();
  }

  /** All functions that have a role. */
  get functions(): readonly string[] {
    return [...this.#roles.keys()];
  }

  async call(method: string, path: string, { body, headers, key = KEY }: Call = {}) {
    const answer = await fetch(new URL(path, this.#cloud?.listeners.api?.url), {
      method,
      redirect: 'manual',
      headers: { 'x-api-key': key, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text() };
  }

  /** A session that works, a message, a file and jobs, whatever was there before. */
  async setTheScene(status: 'WORKING' | 'SCAN_QR_CODE' = 'WORKING'): Promise<SessionRow> {
    const { sessions, jobs, keys, messages, chats, media, log } = this.stores();
    const found = await sessions.get('alpha');
    if (found !== undefined) await sessions.remove('alpha', found.incarnation, found.epoch);
    const row = sessionRow({ status, config: { webhooks: [WEBHOOK] }, incarnation: `inc-${performance.now()}` });
    await sessions.create(row);
    await sessions.report('alpha', row.incarnation, 1, {
      status,
      qr: { value: 'qr', expiresAt: Date.now() + 60_000 },
    });
    await jobs
      .create(jobRow({ jobId: 'job_1', expiresAt: Date.now() + 60_000, openShard: 'socket-00' }))
      .catch(() => undefined);
    const grant = { name: null, isAdmin: false, isActive: true, session: 'alpha', incarnation: row.incarnation };
    const key = await keys.get(KEY_ID);
    if (key !== undefined) await keys.remove(KEY_ID, key.version);
    await keys.create({ ...grant, id: KEY_ID, version: 1, hash: 'ab', actions: [], createdAt: 1 });
    await Promise.all([
      log.append([eventEnvelope({ event: 'message.any', payload: waMessage({ id: MESSAGE }) }, { id: EVENT })]),
      messages.add('alpha', waMessage({ id: MESSAGE, fromMe: true }), 1),
      chats.touch('alpha', CHAT, { id: MESSAGE, timestamp: 1, seq: 1 }),
      media.put('files/alpha/photo.jpg', Buffer.from('x'), 'image/jpeg'),
    ]);
    return row;
  }

  /** For whoever sets scenes. */
  stores() {
    const { dynamo, s3 } = this.clients;
    const media = new S3MediaStore(s3, names.buckets.media);
    return {
      sessions: new DynamoDbSessionStore(dynamo, names.tables.sessions),
      jobs: new DynamoDbJobStore(dynamo, names.tables.jobs),
      keys: new DynamoDbApiKeyStore(dynamo, names.tables.apiKeys),
      messages: new DynamoDbMessageStore(dynamo, names.tables.messages),
      chats: new DynamoDbChatStore(dynamo, names.tables.chats),
      webhooks: new DynamoDbWebhookStore(dynamo, names.tables),
      media,
      log: new DynamoDbEventLog(dynamo, media, { tableName: names.tables.eventLog }),
    };
  }

  #role(name: string): readonly Statement[] {
    return this.#roles.get(name) ?? [];
  }

  #functionTable(): FunctionTable {
    const { dynamo } = this.clientsOf('authorizer');
    const keys = new DynamoDbApiKeyStore(dynamo, names.tables.apiKeys);
    const sessions = new DynamoDbSessionStore(dynamo, names.tables.sessions);
    const groups = new Set(apiRoutes().map((route) => route.functionName));
    return {
      authorizer: {
        handler: createAuthorizer({
          identify: createIdentifyKey({ keys, sessions, readPepper, clock: systemClock }),
          noteUse: createNoteUse({ keys, clock: systemClock, logger: { warn: () => {} } }),
        }),
      },
      ...Object.fromEntries(
        [...groups].map((name) => {
          const deps = { ...createApiDeps(ENVIRONMENT, this.clientsOf(name)), readPepper };
          this.signedCallers.set(name, deps.signedCaller);
          return [name, { handler: createApiFunctions(deps)[name] }];
        }),
      ),
    };
  }
}

/** What the role of each function allows, by the function's name. */
function rolesOfFunctions(): ReadonlyMap<string, readonly Statement[]> {
  const synthesis = synthesize('dev');
  const template = synthesis.stacks.functions;
  if (template === undefined) throw new Error('no stack for functions');
  const allowed = allowedBy(template, createResolver(synthesis, 'dev'));
  const named = resourcesOf(template, 'AWS::Lambda::Function').flatMap(({ Properties: { FunctionName, Role } }) => {
    if (typeof FunctionName !== 'string') return [];
    const [role] = roleSchema.parse(Role)['Fn::GetAtt'];
    return [[FunctionName.replace('trunkline-dev-', ''), allowed.get(role ?? '') ?? []] as const];
  });
  return new Map(named);
}

const roleSchema = z.object({ 'Fn::GetAtt': z.array(z.string()) });
