import { join } from 'node:path';
import type { ResourceDefinition } from '#shared/contracts/resource-shapes.ts';
import { type ApiGatewayOptions, startApiGateway } from './api-gateway/api-gateway.ts';
import { SocketConnections } from './api-gateway/socket-connections.ts';
import { REGION } from './aws-identity.ts';
import { type CloudEnvironment, createClients, createSqsClient } from './cloud-clients.ts';
import { startEngines, startIsolatedEngines } from './engines.ts';
import { type EventBridge, startEventBridge } from './event-bridge/event-bridge.ts';
import { type EventSourceMapping, startEventSourceMapping } from './event-source-mapping.ts';
import { FunctionRegistry, type FunctionTable } from './function-registry.ts';
import type { Listener } from './loopback-listener.ts';
import { createResources, type ResourceClients } from './resource-creation.ts';
import { startSchedule } from './schedule.ts';

export interface LocalCloudOptions {
  /**
   * Where DynamoDB, SQS, S3 and EventBridge are: an emulator, or AWS. Functions and API stay in this process.
   * @default started in this process
   */
  readonly aws?: CloudEnvironment;
  /** Everything acknowledged survives in here; in memory without it. Not used where `aws` is given. */
  readonly dataDir?: string;
  readonly resources: ResourceDefinition;
  /** The functions, or how to make them once the endpoints are known. */
  readonly functions: FunctionTable | ((env: CloudEnvironment) => FunctionTable | Promise<FunctionTable>);
  /** The HTTP API in front of the functions. @default none */
  readonly api?: Omit<ApiGatewayOptions, 'functions' | 'connections'>;
  /** @default 0 each (any free port) */
  readonly ports?: { readonly dynamodb?: number; readonly sqsS3?: number; readonly eventBridge?: number };
  /** DynamoDB, SQS and S3 in a thread of their own. @default false */
  readonly isolate?: boolean;
  /** Told of failures nobody waits for: lost events, failing event sources and schedules, broken integrations. */
  readonly onError?: (where: string, error: unknown) => void;
}

export interface LocalCloud {
  readonly env: CloudEnvironment;
  /** Clients of this cloud's endpoints; closed by `stop`. */
  readonly clients: ResourceClients;
  readonly functions: FunctionRegistry;
  /** What listens in this process. */
  readonly listeners: Partial<EmbeddedListeners> & { readonly api?: Listener };
  /** Stops taking requests, ends what is running, closes the data directory. */
  stop(): Promise<void>;
}

interface EmbeddedListeners {
  readonly dynamodb: Listener;
  readonly sqsS3: Listener;
  readonly eventBridge: EventBridge;
}

interface EmbeddedAws {
  readonly env: CloudEnvironment;
  readonly listeners: EmbeddedListeners;
  /** Lets rules deliver; before, the functions they call are not there. */
  readonly resume: () => void;
}

const ACCOUNT: CloudEnvironment = {
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_EC2_METADATA_DISABLED: 'true',
  S3_PATH_STYLE: 'true',
};

/**
 * Starts what the platform needs from AWS in this process, on loopback, with its resources made. With `aws`, only the
 * functions, what calls them, and the API.
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const started: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    return await start(options, started, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  options: LocalCloudOptions,
  started: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<LocalCloud> {
  const { resources } = options;
  const report = options.onError ?? (() => {});
  const functions = new FunctionRegistry();
  const embedded = options.aws === undefined ? await startEmbedded(options, functions, started, report) : undefined;
  const connections = options.api?.webSocket === undefined ? undefined : await SocketConnections.start();
  if (connections !== undefined) started.push(() => connections.close());
  const env = {
    ...(embedded?.env ?? options.aws),
    ...(connections !== undefined && { AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI: connections.managementUrl }),
  };
  const clients = createClients(env);
  started.unshift(async () => {
    for (const client of Object.values(clients)) client.destroy();
  });
  await createResources(clients, resources);
  functions.addAll(typeof options.functions === 'function' ? await options.functions(env) : options.functions);
  embedded?.resume();
  for (const source of resources.eventSources) {
    const mapping: EventSourceMapping = startEventSourceMapping({
      ...source,
      sqs: clients.sqs,
      functions,
      onError: (error) => report(`event source ${source.queue}`, error),
    });
    started.push(() => mapping.stop());
  }
  for (const schedule of resources.schedules) {
    const running = startSchedule({
      ...schedule,
      functions,
      onError: (error) => report(`schedule ${schedule.name}`, error),
    });
    started.push(() => running.stop());
  }
  const api =
    options.api === undefined
      ? undefined
      : await startApiGateway({
          onError: (route, error) => report(`${route.method} ${route.path}`, error),
          ...options.api,
          functions,
          ...(connections !== undefined && { connections }),
        });
  if (api !== undefined) started.push(() => api.close());
  return {
    env,
    clients,
    functions,
    listeners: { ...embedded?.listeners, ...(api === undefined ? {} : { api }) },
    stop,
  };
}

async function startEmbedded(
  { dataDir, ports = {}, isolate }: LocalCloudOptions,
  functions: FunctionRegistry,
  started: (() => Promise<void>)[],
  report: (where: string, error: unknown) => void,
): Promise<EmbeddedAws> {
  const engineOptions = { ports, ...(dataDir === undefined ? {} : { dataDir }) };
  const engines = await (isolate === true ? startIsolatedEngines(engineOptions) : startEngines(engineOptions));
  const { dynamodb, sqsS3 } = engines;
  started.push(
    () => dynamodb.close(),
    () => sqsS3.close(),
  );
  const data = {
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
    AWS_ENDPOINT_URL_SQS: sqsS3.url,
    AWS_ENDPOINT_URL_S3: sqsS3.url,
    ...ACCOUNT,
  };
  const sqs = createSqsClient(data);
  const eventBridge = await startEventBridge({
    port: ports.eventBridge ?? 0,
    ...(dataDir === undefined ? {} : { path: join(dataDir, 'event-bridge') }),
    sqs,
    functions,
    onDropped: (delivery, error) => report(`rule target ${delivery.target.Id}`, error),
  });
  started.push(async () => {
    await eventBridge.close();
    sqs.destroy();
  });
  return {
    env: { AWS_ENDPOINT_URL_EVENTBRIDGE: eventBridge.url, ...data },
    listeners: { dynamodb, sqsS3, eventBridge },
    resume: () => eventBridge.resume(),
  };
}
