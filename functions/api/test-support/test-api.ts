import { gunzipSync } from 'node:zlib';
import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { encodeCaller } from '#functions/authorizer/caller.ts';
import { createNoteUse } from '#functions/authorizer/last-used.ts';
import { MemoryApiKeyStore } from '#shared/adapters/memory/memory-api-key-store.ts';
import { MemoryAuditLog } from '#shared/adapters/memory/memory-audit-log.ts';
import { MemoryChatStore } from '#shared/adapters/memory/memory-chat-store.ts';
import { MemoryEventLog } from '#shared/adapters/memory/memory-event-log.ts';
import { MemoryJobStore } from '#shared/adapters/memory/memory-job-store.ts';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import { MemoryMessageStore } from '#shared/adapters/memory/memory-message-store.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import { MemoryWebhookStore } from '#shared/adapters/memory/memory-webhook-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { compileTextPattern } from '#shared/adapters/text-pattern.ts';
import { createRuleBrokenBy } from '#shared/adapters/vetted-target.ts';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import { functionName } from '#shared/contracts/api/routes.ts';
import { AUDIT_DAYS } from '#shared/contracts/audit.ts';
import type { ShardMessage } from '#shared/contracts/jobs.ts';
import { LAMBDA_PAYLOAD_BYTES } from '#shared/contracts/lambda-payload.ts';
import { type ApiKeyRow, KEY_ACTIONS } from '#shared/contracts/rows.ts';
import type { WebhookTimer, WebhookWake } from '#shared/contracts/webhook-rows.ts';
import { KeyPepper } from '#shared/domain/key-pepper.ts';
import { type ApiConfig, type ApiDeps, DEFAULT_CAPS } from '../deps.ts';
import { createApiFunctions } from '../functions.ts';
import type { KeysDeps } from '../keys/keys-handlers.ts';
import { trailFields } from '../request-trail.ts';
import { createSignedCaller } from '../signed-caller.ts';
import { createBacklog } from '../use-cases/backlog.ts';

export interface QueuedMessage {
  readonly shard: string;
  readonly message: ShardMessage;
  readonly lane: string;
  readonly deduplicationId: string;
}

export interface CallOptions {
  /** An object becomes JSON; a string is sent as it is, and so are bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the authorizer says of the caller; null: it was not asked. */
  readonly key?: Partial<ApiKeyRow> | null;
  /** What the stage is and who signed, where the request came through the API for signed ones. */
  readonly signed?: {
    readonly stageVariables: Readonly<Record<string, string>> | null;
    readonly userArn: string | null;
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body, without its encoding. */
  readonly bytes: Buffer;
  /** The body, parsed; undefined when it is not JSON. */
  readonly json: unknown;
}

const ADMIN: ApiKeyRow = {
  id: 'key_test',
  version: 1,
  name: null,
  isAdmin: false,
  isActive: true,
  session: null,
  actions: [...KEY_ACTIONS],
  createdAt: 0,
};

/** The API's functions over memory, called the way API Gateway calls them. Answers that Lambda would refuse are thrown. */
export class TestApi {
  readonly sessions = new MemorySessionStore();
  readonly jobs = new MemoryJobStore();
  readonly messages = new MemoryMessageStore();
  readonly chats = new MemoryChatStore();
  readonly media = new MemoryMediaStore();
  readonly webhooks = new MemoryWebhookStore();
  readonly eventLog = new MemoryEventLog();
  /** Endpoints that were woken, and those that will be. */
  readonly wakes: WebhookWake[] = [];
  readonly timers: WebhookTimer[] = [];
  readonly keys = new MemoryApiKeyStore();
  readonly audit = new MemoryAuditLog();
  readonly pepper = new KeyPepper('the-pepper-of-the-tests');
  readonly queued: QueuedMessage[] = [];
  /** Names of the sessions that were said to want a host. */
  readonly wanted: string[] = [];
  readonly logged: unknown[][] = [];
  /** Runs on every message for a shard, in place of the host; what it throws the queue throws. */
  onQueued: (message: ShardMessage) => Promise<void> = async () => {};
  readonly deps: ApiDeps & KeysDeps;
  readonly #functions: ReturnType<typeof createApiFunctions>;

  constructor(config: Partial<ApiConfig> = {}, deps: Partial<ApiDeps> = {}) {
    const settings: ApiConfig = {
      version: '1.2.3',
      engine: 'NOWEB',
      shards: ['socket-00', 'socket-01'],
      startedAt: 1_000,
      publicUrl: undefined,
      ownerWaitMs: 40,
      stateWaitMs: 40,
      commandWaitMs: 40,
      ...DEFAULT_CAPS,
      globalWebhook: undefined,
      mediaPrivateHosts: new Set(),
      auditDays: AUDIT_DAYS,
      ...config,
    };
    const queue: ApiDeps['queue'] = {
      send: async (shard, message, lane, deduplicationId) => {
        await this.onQueued(message);
        this.queued.push({ shard, message, lane, deduplicationId });
      },
      depth: async (shard) => this.queued.filter((entry) => entry.shard === shard).length,
    };
    const log = (fields: unknown, ...rest: unknown[]) => {
      this.logged.push([typeof fields === 'object' ? { ...trailFields(), ...fields } : fields, ...rest]);
    };
    const clock = deps.clock ?? systemClock;
    const logger = { info: log, warn: log, error: log };
    const noteUse = createNoteUse({ keys: this.keys, clock, logger });
    this.deps = {
      sessions: this.sessions,
      jobs: this.jobs,
      messages: this.messages,
      chats: this.chats,
      media: this.media,
      webhooks: this.webhooks,
      webhookQueue: {
        wake: async (wakes) => {
          this.wakes.push(...wakes.map(({ wake }) => wake));
        },
        wakeAt: async (timer) => {
          this.timers.push(timer);
        },
      },
      eventLog: this.eventLog,
      eventSeqs: this.eventLog,
      ruleBrokenBy: createRuleBrokenBy(new Set()),
      compileTextPattern,
      keys: this.keys,
      signedCaller: createSignedCaller({ keys: this.keys, sessions: this.sessions, clock, noteUse }),
      audit: this.audit,
      readPepper: async () => this.pepper,
      clock: systemClock,
      queue,
      signals: {
        wanted: async ({ name }) => {
          this.wanted.push(name);
        },
      },
      backlog: createBacklog({ jobs: this.jobs, queue, clock: systemClock, config: settings }),
      logger,
      config: settings,
      ...deps,
    };
    this.#functions = createApiFunctions(this.deps);
  }

  async call(method: string, url: string, options: CallOptions = {}): Promise<Answer> {
    const { pathname, searchParams } = new URL(url, 'http://api.test');
    const operation = matching(method, pathname);
    const handler = this.#functions[functionName(operation?.group ?? 'server')];
    const event = proxyEvent(method, pathname, searchParams, options);
    const result = await handler(event, { awsRequestId: 'invocation-1' } as Context);
    if (Buffer.byteLength(JSON.stringify(result)) > LAMBDA_PAYLOAD_BYTES) throw new Error('Lambda refuses this answer');
    const sent = Buffer.from(result.body, result.isBase64Encoded ? 'base64' : 'utf8');
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(result.headers ?? {})) headers[name.toLowerCase()] = String(value);
    const bytes = headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    const isJson = headers['content-type']?.startsWith('application/json');
    const text = bytes.toString('utf8');
    return { status: result.statusCode, headers, text, bytes, json: isJson ? JSON.parse(text) : undefined };
  }

  /** Creates a session and puts it into the state that its host would report. */
  async session(name: string, report: Parameters<MemorySessionStore['report']>[3] = { status: 'WORKING' }) {
    await this.call('POST', '/api/sessions', { body: { name } });
    const row = await this.sessions.get(name);
    if (row === undefined) throw new Error('the session was not created');
    await this.sessions.report(name, row.incarnation, 1, report);
    return row;
  }
}

/** API Gateway prefers fixed parts of a path to parameters. */
function matching(method: string, path: string) {
  return OPERATIONS.filter((operation) => operation.method === method && pattern(operation.path).test(path)).sort(
    (a, b) => a.path.split('{').length - b.path.split('{').length,
  )[0];
}

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{\w+\+\}/, '.+').replace(/\{\w+\}/g, '[^/]+')}$`);
}

function proxyEvent(
  method: string,
  path: string,
  searchParams: URLSearchParams,
  { body, headers = {}, key = {}, signed }: CallOptions,
): APIGatewayProxyEvent {
  const names = [...new Set(searchParams.keys())];
  const query = names.length > 0 ? Object.fromEntries(names.map((name) => [name, searchParams.getAll(name)])) : null;
  const sent = {
    Host: 'api.test',
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...headers,
  };
  const event = {
    httpMethod: method,
    path,
    resource: path,
    headers: sent,
    multiValueHeaders: Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, [value]])),
    queryStringParameters: query && Object.fromEntries(Object.entries(query).map(([name, all]) => [name, all.at(-1)])),
    multiValueQueryStringParameters: query,
    pathParameters: null,
    stageVariables: signed?.stageVariables ?? null,
    ...sentBody(body),
    requestContext: {
      path,
      stage: 'test',
      requestId: 'request-1',
      identity: { userArn: signed?.userArn ?? null, sourceIp: '192.0.2.7' },
      ...(key === null ? {} : { authorizer: encodeCaller({ ...ADMIN, ...key }) }),
    },
  };
  // Identity and the rest of the context are not read.
  return event as unknown as APIGatewayProxyEvent;
}

function sentBody(body: unknown): Pick<APIGatewayProxyEvent, 'body' | 'isBase64Encoded'> {
  if (body === undefined) return { body: null, isBase64Encoded: false };
  if (body instanceof Uint8Array) return { body: Buffer.from(body).toString('base64'), isBase64Encoded: true };
  return { body: typeof body === 'string' ? body : JSON.stringify(body), isBase64Encoded: false };
}
