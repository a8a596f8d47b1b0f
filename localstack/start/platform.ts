import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { createAdministratorKey } from '#functions/administrator-key/administrator-key.ts';
import { createApiDeps } from '#functions/api/composition/all-deps.ts';
import { createApiFunctions } from '#functions/api/functions.ts';
import { createAuthorizer } from '#functions/authorizer/authorizer.ts';
import { createIdentifyKey } from '#functions/authorizer/identify-key.ts';
import { createNoteUse } from '#functions/authorizer/last-used.ts';
import { createAwsCapacity } from '#functions/capacity/aws-capacity.ts';
import { createEventProjectorHandler } from '#functions/event-projector/handler.ts';
import { createAwsStreamConnections } from '#functions/event-stream/connections/aws-connections.ts';
import { createAwsStreamFanout } from '#functions/event-stream/fanout/aws-fanout.ts';
import { createAwsStreamSender } from '#functions/event-stream/sender/aws-sender.ts';
import { createAwsReconciler } from '#functions/reconciler/aws-reconciler.ts';
import { createAwsWebhookDispatcher } from '#functions/webhook-dispatcher/aws-webhook-dispatcher.ts';
import { createAwsWebhookFanout } from '#functions/webhook-fanout/aws-webhook-fanout.ts';
import { type AwsClients, createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { DynamoDbAuditLog } from '#shared/adapters/dynamodb-audit-log.ts';
import { DynamoDbChatStore } from '#shared/adapters/dynamodb-chat-store.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { createUnpackEvent } from '#shared/adapters/event-detail.ts';
import { createPepperReader } from '#shared/adapters/key-pepper-reader.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { API_HEADERS, apiRoutes, BINARY_MEDIA_TYPES, EXPOSED_HEADERS } from '#shared/contracts/api/routes.ts';
import { STREAM_STAGE } from '#shared/contracts/event-stream.ts';
import { ECS_SOURCE, TASK_STATE_CHANGE } from '#shared/contracts/fleet-events.ts';
import { LAMBDA_PAYLOAD_BYTES } from '#shared/contracts/lambda-payload.ts';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import { type ResourceNames, resourceNames, resourceNamesEnv } from '#shared/contracts/resources.ts';
import { createLogger } from '#shared/observability/logger.ts';
import type { HostLauncher } from '#shared/ports/host-launcher.ts';
import type { ReadPepper } from '#shared/ports/read-pepper.ts';
import type { CloudEnvironment } from '../embedded/cloud-clients.ts';
import type { FunctionTable } from '../embedded/function-registry.ts';
import { type HostProcesses, type HostProcessesOptions, startHostProcesses } from '../embedded/host-processes.ts';
import { type LocalCloud, startLocalCloud } from '../embedded/local-cloud.ts';
import { LocalHostLauncher } from '../embedded/local-host-launcher.ts';
import { startTaskMetadata } from '../embedded/task-metadata.ts';
import { openInstallation } from './installation.ts';

export interface PlatformOptions {
  /** Everything that survives a restart is in here. */
  readonly dataDir: string;
  /** Where DynamoDB, SQS, S3 and EventBridge are. @default started in this process, kept in `dataDir` */
  readonly aws?: CloudEnvironment;
  /** @default 0, any free port */
  readonly port?: number;
  /** Engine-host processes; `auto`: as many as the sessions need, none without sessions. @default 1 */
  readonly hosts?: number | 'auto';
  /** Shards of the socket pool; fixed once sessions exist. @default 8 */
  readonly shards?: number;
  /** The WhatsApp server. */
  readonly whatsapp: WhatsappServer;
  /** More environment for the functions. */
  readonly functionEnv?: Readonly<Record<string, string>>;
  /** What hosts run, with arguments for Node before it. @default the sources */
  readonly hostProgram?: { readonly path: string; readonly nodeArguments: readonly string[] };
  /** More environment for the hosts. */
  readonly hostEnv?: Readonly<Record<string, string | undefined>>;
  /** How long hosts have to end before they are killed, milliseconds. @default 10000 */
  readonly stopDeadlineMs?: number;
  readonly onHostLine?: HostProcessesOptions['onLine'];
  readonly onHostExit?: HostProcessesOptions['onUnexpectedExit'];
  readonly onError?: (where: string, error: unknown) => void;
}

export interface WhatsappServer {
  readonly url: string;
  /** Public key behind its certificates, base64. @default WhatsApp's */
  readonly rootKey?: string | undefined;
  /** Certificate authority to trust for its media besides the usual ones. */
  readonly caFile?: string;
}

/** The whole platform on this machine. */
export interface Platform {
  /** Base URL of the HTTP API. */
  readonly url: string;
  /** The administrator's key. */
  readonly apiKey: string;
  readonly cloud: LocalCloud;
  readonly names: ResourceNames;
  readonly hosts: HostProcesses;
  stop(): Promise<void>;
}

/** Compiled sources of hosts, beside what they are compiled from: spares each start a third of a second of CPU. */
const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/engine-host', import.meta.url));
/**
 * A host's memory is mostly the garbage of pairing and restoring. A small young generation gives it back sooner: 50
 * sessions take 240 MB instead of 440, after a restart 220 instead of 380, for 10 to 20 % more CPU per send.
 */
const HOST_PROGRAM = {
  path: fileURLToPath(new URL('../../engine-host/host/main.ts', import.meta.url)),
  nodeArguments: ['--max-semi-space-size=2'],
};
const AUTHORIZER = 'authorizer';
const CAPACITY = 'capacity';
/** On one machine a spare host spares nothing, and more than these share its CPUs only worse. */
const LOCAL_CAPACITY = { WARM_SPARES: '0', MAX_HOSTS: '16' };

/** Starts the local cloud with the functions in it, and the engine hosts. One platform per process. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const installation = await openInstallation(options.dataDir);
  const { shards = 8, hosts: hostCount = 1 } = options;
  const names = resourceNames(z.object(resourceNamesEnv).parse(options.aws ?? {}));
  const started = Promise.withResolvers<HostProcesses>();
  const launcher = hostCount === 'auto' ? new LocalHostLauncher(started.promise) : undefined;
  let clients: AwsClients | undefined;
  const cloud = await startLocalCloud({
    ...(options.aws === undefined ? { dataDir: join(options.dataDir, 'cloud') } : { aws: options.aws }),
    resources: resourceDefinition(shards, names),
    functions: async (endpoints) => {
      Object.assign(
        process.env,
        endpoints,
        { SHARD_COUNT: String(shards), LOG_HASH_KEY: installation.logHashKey },
        LOCAL_CAPACITY,
        options.functionEnv,
      );
      process.env.LOG_LEVEL ??= 'warn';
      clients = createAwsClients({ pathStyle: endpoints.S3_PATH_STYLE === 'true' });
      const keys = new DynamoDbApiKeyStore(clients.dynamo, names.tables.apiKeys);
      const readPepper = createPepperReader(async () => installation.keyPepper);
      const readKey = async () => installation.apiKey;
      const audit = new DynamoDbAuditLog(clients.dynamo, names.tables.audit);
      await createAdministratorKey({ keys, audit, readKey, readPepper, clock: systemClock })();
      return loadFunctions(clients, names, readPepper, launcher);
    },
    api: {
      port: options.port ?? 0,
      routes: apiRoutes(),
      authorizer: { functionName: AUTHORIZER, ttlSeconds: 1 },
      // What a Lambda function takes in AWS: what works here must work there.
      binaryMediaTypes: BINARY_MEDIA_TYPES,
      invocationLimitBytes: LAMBDA_PAYLOAD_BYTES,
      cors: { allowHeaders: API_HEADERS, exposeHeaders: EXPOSED_HEADERS },
      webSocket: { path: `/${STREAM_STAGE}`, stage: STREAM_STAGE, functionName: 'stream-connections' },
    },
    ...(options.onError === undefined ? {} : { onError: options.onError }),
  });
  const api = cloud.listeners.api;
  if (api === undefined) throw new Error('The local cloud has no API.');
  const taskMetadata = await startTaskMetadata();
  const { path: program, nodeArguments } = options.hostProgram ?? HOST_PROGRAM;
  const hosts = startHostProcesses({
    program,
    nodeArguments,
    count: hostCount === 'auto' ? 0 : hostCount,
    taskMetadata: taskMetadata.url,
    // A bus elsewhere hears of its own tasks only; there the end of a host shows in its silence.
    onTaskStopped: (task) => cloud.listeners.eventBridge?.takeServiceEvent(taskStopped(task)),
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      MALLOC_ARENA_MAX: '2',
      ...cloud.env,
      SHARD_COUNT: String(shards),
      PUBLIC_URL: process.env.PUBLIC_URL ?? api.url,
      WHATSAPP_WS_URL: options.whatsapp.url,
      WHATSAPP_ROOT_KEY: options.whatsapp.rootKey,
      NODE_EXTRA_CA_CERTS: options.whatsapp.caFile,
      LOG_HASH_KEY: installation.logHashKey,
      STATE_KEY_FILE: installation.stateKeyFile,
      LOG_LEVEL: process.env.LOG_LEVEL,
      METRICS: process.env.METRICS,
      ...options.hostEnv,
    },
    ...(options.stopDeadlineMs === undefined ? {} : { stopDeadlineMs: options.stopDeadlineMs }),
    ...(options.onHostLine === undefined ? {} : { onLine: options.onHostLine }),
    ...(options.onHostExit === undefined ? {} : { onUnexpectedExit: options.onHostExit }),
  });
  started.resolve(hosts);
  // Sessions from before want their hosts now, not at the schedule's next turn.
  if (launcher !== undefined) {
    await cloud.functions.invoke(CAPACITY, {}).catch((error: unknown) => options.onError?.(CAPACITY, error));
  }
  return {
    url: api.url,
    apiKey: installation.apiKey,
    cloud,
    names,
    hosts,
    stop: async () => {
      await hosts.stop();
      await taskMetadata.close();
      await cloud.stop();
      if (clients !== undefined) destroyAwsClients(clients);
    },
  };
}

/** As ECS tells it on the account's bus. */
function taskStopped(taskArn: string) {
  return {
    source: ECS_SOURCE,
    detailType: TASK_STATE_CHANGE,
    resources: [taskArn],
    detail: { taskArn, lastStatus: 'STOPPED', desiredStatus: 'STOPPED', stoppedAt: new Date().toISOString() },
  };
}

/** The functions, in this process; the SDK inside them finds the local cloud as it finds AWS, in the environment. */
function loadFunctions(
  clients: AwsClients,
  names: ResourceNames,
  readPepper: ReadPepper,
  launcher: HostLauncher | undefined,
): FunctionTable {
  const { dynamo, s3, sqs } = clients;
  const deps = createApiDeps(process.env);
  const api = Object.entries(createApiFunctions({ ...deps, readPepper }));
  return {
    ...Object.fromEntries(api.map(([name, handler]) => [name, { handler }])),
    [AUTHORIZER]: {
      handler: createAuthorizer({
        identify: createIdentifyKey({ ...deps, readPepper }),
        noteUse: createNoteUse(deps),
      }),
    },
    [CAPACITY]: { handler: createAwsCapacity(process.env, { dynamo }, launcher), timeoutSeconds: 60 },
    'stream-connections': { handler: createAwsStreamConnections(process.env, readPepper, { dynamo, sqs }) },
    'stream-fanout': { handler: createAwsStreamFanout(process.env, { dynamo, sqs }) },
    'stream-sender': { handler: createAwsStreamSender(process.env, { dynamo, s3, sqs }) },
    'webhook-fanout': { handler: createAwsWebhookFanout(process.env, clients) },
    'webhook-dispatcher': { handler: createAwsWebhookDispatcher(process.env, clients) },
    reconciler: { handler: createAwsReconciler(process.env, { dynamo, sqs }), timeoutSeconds: 60 },
    'event-projector': {
      handler: createEventProjectorHandler({
        messages: new DynamoDbMessageStore(dynamo, names.tables.messages),
        chats: new DynamoDbChatStore(dynamo, names.tables.chats),
        unpackEvent: createUnpackEvent(new S3MediaStore(s3, names.buckets.media)),
        logger: createLogger({ name: 'event-projector', level: process.env.LOG_LEVEL ?? 'warn' }),
      }),
    },
  };
}
