import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { ResourceDefinition } from '#shared/contracts/resources.ts';
import { type ApiGatewayOptions, startApiGateway } from './api-gateway/api-gateway.ts';
import { REGION } from './aws-identity.ts';
import { startEngines, startIsolatedEngines } from './engines.ts';
import { type EventBridge, startEventBridge } from './event-bridge/event-bridge.ts';
import { type EventSourceMapping, startEventSourceMapping } from './event-source-mapping.ts';
import { FunctionRegistry, type FunctionTable } from './function-registry.ts';
import type { Listener } from './loopback-listener.ts';
import { createResources, type ResourceClients } from './resource-creation.ts';
import { startSchedule } from './schedule.ts';

/** What a process needs in its environment to use this cloud instead of AWS. */
type CloudEnvironment = Readonly<Record<string, string>>;

export interface LocalCloudOptions {
  /** Everything acknowledged survives in here; in memory without it. */
  readonly dataDir?: string;
  readonly resources: ResourceDefinition;
  /** The functions, or how to make them once the endpoints are known. */
  readonly functions: FunctionTable | ((env: CloudEnvironment) => FunctionTable | Promise<FunctionTable>);
  /** The HTTP API in front of the functions. @default none */
  readonly api?: Omit<ApiGatewayOptions, 'functions'>;
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
  readonly listeners: {
    readonly dynamodb: Listener;
    readonly sqsS3: Listener;
    readonly eventBridge: EventBridge;
    readonly api?: Listener;
  };
  /** Stops taking requests, ends what is running, closes the data directory. */
  stop(): Promise<void>;
}

/** Starts everything the platform needs from AWS in this process, on loopback, with its resources made. */
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
  const { ports = {}, resources } = options;
  const report = options.onError ?? (() => {});
  const keep = <T extends Listener>(listener: T): T => {
    started.push(() => listener.close());
    return listener;
  };

  const engineOptions = { ports, ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }) };
  const engines = await (options.isolate === true ? startIsolatedEngines(engineOptions) : startEngines(engineOptions));
  const dynamodb = keep(engines.dynamodb);
  const sqsS3 = keep(engines.sqsS3);
  const account = { region: REGION, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const sqs = new SQSClient({ ...account, endpoint: sqsS3.url, useQueueUrlAsEndpoint: false });
  const functions = new FunctionRegistry();
  const eventBridge = keep(
    await startEventBridge({
      port: ports.eventBridge ?? 0,
      ...(options.dataDir === undefined ? {} : { path: join(options.dataDir, 'event-bridge') }),
      sqs,
      functions,
      onDropped: (delivery, error) => report(`rule target ${delivery.target.Id}`, error),
    }),
  );
  const clients: ResourceClients = {
    sqs,
    dynamodb: new DynamoDBClient({ ...account, endpoint: dynamodb.url }),
    s3: new S3Client({ ...account, endpoint: sqsS3.url, forcePathStyle: true }),
    eventBridge: new EventBridgeClient({ ...account, endpoint: eventBridge.url }),
  };
  started.unshift(async () => {
    for (const client of Object.values(clients)) client.destroy();
  });

  const env = environment({ dynamodb, sqsS3, eventBridge });
  await createResources(clients, resources);
  functions.addAll(typeof options.functions === 'function' ? await options.functions(env) : options.functions);
  eventBridge.resume();
  for (const source of resources.eventSources) {
    const mapping: EventSourceMapping = startEventSourceMapping({
      ...source,
      sqs,
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
      : keep(
          await startApiGateway({
            onError: (route, error) => report(`${route.method} ${route.path}`, error),
            ...options.api,
            functions,
          }),
        );
  return {
    env,
    clients,
    functions,
    listeners: { dynamodb, sqsS3, eventBridge, ...(api === undefined ? {} : { api }) },
    stop,
  };
}

function environment(listeners: Record<'dynamodb' | 'sqsS3' | 'eventBridge', Listener>): CloudEnvironment {
  return {
    AWS_ENDPOINT_URL_DYNAMODB: listeners.dynamodb.url,
    AWS_ENDPOINT_URL_SQS: listeners.sqsS3.url,
    AWS_ENDPOINT_URL_S3: listeners.sqsS3.url,
    AWS_ENDPOINT_URL_EVENTBRIDGE: listeners.eventBridge.url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
