import { readFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { extname } from 'node:path';
import { type AwsClients, createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbChatStore } from '#shared/adapters/dynamodb-chat-store.ts';
import { DynamoDbEventLog } from '#shared/adapters/dynamodb-event-log.ts';
import { DynamoDbJobStore } from '#shared/adapters/dynamodb-job-store.ts';
import { DynamoDbJournalStore } from '#shared/adapters/dynamodb-journal-store.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { DynamoDbWebhookStore } from '#shared/adapters/dynamodb-webhook-store.ts';
import { DynamoDbWrappedKeyStore } from '#shared/adapters/dynamodb-wrapped-key-store.ts';
import { readTaskArn } from '#shared/adapters/ecs-task-metadata.ts';
import { EcsTaskProtection } from '#shared/adapters/ecs-task-protection.ts';
import { EventBridgeEventBus } from '#shared/adapters/event-bridge-event-bus.ts';
import { GuardedRemoteFiles } from '#shared/adapters/guarded-remote-files.ts';
import { LocalDataKeys, readMasterKey } from '#shared/adapters/local-data-keys.ts';
import { S3CheckpointStore } from '#shared/adapters/s3-checkpoint-store.ts';
import { S3JournalBodyStore } from '#shared/adapters/s3-journal-body-store.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import { SqsShardQueue } from '#shared/adapters/sqs-shard-queue.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import type { EngineName } from '#shared/contracts/session.ts';
import { configureLogTags, createLogger, type Logger } from '#shared/observability/logger.ts';
import { createMetrics } from '#shared/observability/metrics.ts';
import type { DataKeyProvider } from '#shared/ports/data-keys.ts';
import type { EngineFactory } from '../engines/engine.ts';
import { assertBrowserStarts } from './browser-start.ts';
import { type HostConfig, readHostConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { WorkerHeartbeat } from './heartbeat/worker-heartbeat.ts';
import { startHost } from './host.ts';
import { startHostMetrics } from './host-metrics.ts';
import { MeteredEventBus } from './metered-event-bus.ts';
import { openPulseFile } from './pulse-file.ts';

/** A file of its own, in the sources as in a bundle. */
const HEARTBEAT_PROGRAM = new URL(`./heartbeat/main${extname(import.meta.url)}`, import.meta.url);
const ORPHAN_DRAIN_MS = 5_000;
/** When the sessions of a start are likely to be up: writing the cache the first time stops everything else. */
const COMPILE_CACHE_AFTER_MS = 10_000;

async function main(): Promise<void> {
  const config = readHostConfig(process.env);
  if (config.logHashKey !== undefined) configureLogTags(config.logHashKey);
  const logger = createLogger({ name: 'engine-host', level: config.logLevel }).child({ host: config.hostId });
  process.on('unhandledRejection', (error) => crash(logger, error));
  process.on('uncaughtException', (error) => crash(logger, error));

  // Started by a launcher on the same machine: when that is gone, nobody would ever stop this host, and the local
  // cloud that a drain writes to is gone with it.
  let onOrphaned = (): void => process.exit(1);
  process.once('disconnect', () => onOrphaned());

  // Before anybody hears of this host: one without a browser would take shards and run none of their sessions.
  if (config.browserExecutable !== undefined) await assertBrowserStarts(config.browserExecutable);

  const { timings, names } = config;
  const { tables, buckets, queues, shardQueue } = names;
  // First of all, so that its thread loads what it needs while this one does.
  const heartbeat = new WorkerHeartbeat({
    program: HEARTBEAT_PROGRAM,
    tables,
    every: timings.heartbeat,
    stallAfter: timings.stallAfter,
    logger,
    onBroken: (error) => crash(logger, error),
  });
  const pulse =
    config.pulseFile === undefined
      ? undefined
      : await openPulseFile(config.pulseFile, (error) => logger.warn({ err: error }, 'pulse not written'));
  const clients = createAwsClients({ pathStyle: config.s3PathStyle });
  const media = new S3MediaStore(clients.s3, buckets.media);
  const messages = new DynamoDbMessageStore(clients.dynamo, tables.messages);
  const bus = new MeteredEventBus(new EventBridgeEventBus(clients.eventBridge, media, names.bus));
  const host = await startHost({
    config,
    task: await findTask(config, logger),
    version: await platformVersion(),
    clock: systemClock,
    logger,
    heartbeat,
    pulse,
    ownership: new DynamoDbOwnershipStore(clients.dynamo, tables),
    sessions: new DynamoDbSessionStore(clients.dynamo, tables.sessions),
    jobs: new DynamoDbJobStore(clients.dynamo, tables.jobs),
    queue: new SqsShardQueue(clients.sqs, { queueName: shardQueue, deadLetterQueue: queues.shardDeadLetters }),
    checkpoints: new S3CheckpointStore(clients.s3, buckets.state),
    journal: new DynamoDbJournalStore(clients.dynamo, tables.journal),
    journalBodies: new S3JournalBodyStore(clients.s3, buckets.state),
    dataKeys: await createDataKeys(config, clients.dynamo),
    media,
    remoteFiles: new GuardedRemoteFiles({ allowPrivateHosts: config.mediaAllowPrivateHosts }),
    eventLog: new DynamoDbEventLog(clients.dynamo, media, { tableName: tables.eventLog, days: config.eventLogDays }),
    bus,
    messages,
    readModels: [
      messages,
      new DynamoDbChatStore(clients.dynamo, tables.chats),
      new DynamoDbWebhookStore(clients.dynamo, tables),
    ],
    ...(config.ecsAgentUri !== undefined && { taskProtection: new EcsTaskProtection(config.ecsAgentUri) }),
    engines: await Promise.all(config.engines.map((name) => createEngine(name, config))),
  });
  logger.info({ pool: config.pool, shards: config.shardCount, engines: config.engines }, 'host started');
  // With NODE_COMPILE_CACHE set: otherwise only a host that ends in good order would leave one to the next.
  setTimeout(flushCompileCache, COMPILE_CACHE_AFTER_MS).unref();

  const metrics = createMetrics({ namespace: names.prefix, mode: config.metrics });
  const endMetrics = startHostMetrics({ host, pool: config.pool, bus, metrics });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info({ signal }, 'host drains');
      void host.drain();
    });
  }
  onOrphaned = () => {
    setTimeout(() => process.exit(1), ORPHAN_DRAIN_MS).unref();
    void host.drain();
  };
  await host.closed;
  endMetrics();
  destroyAwsClients(clients);
  await heartbeat.close();
  logger.info('host stopped');
  logger.flush();
  process.exit(0);
}

/** Without it the others wait for this host's silence when it dies: slower, and just as safe. */
async function findTask({ taskMetadata }: HostConfig, logger: Logger): Promise<string | undefined> {
  if (taskMetadata === undefined) return undefined;
  try {
    return await readTaskArn(taskMetadata);
  } catch (error) {
    logger.warn({ err: error }, 'the end of this task will not be noticed at once');
    return undefined;
  }
}

/** An engine's libraries are loaded only where the engine is used. */
async function createEngine(name: EngineName, config: HostConfig): Promise<EngineFactory> {
  switch (name) {
    case 'NOWEB': {
      const { createNowebEngineFactory } = await import('#engine-host/engines/noweb/noweb-engine-factory.ts');
      const { assertStanzaBytes } = await import('#engine-host/engines/noweb/seams.ts');
      await assertStanzaBytes();
      const { ping, pingAnswer, blip, conflictWait } = config.timings;
      return createNowebEngineFactory({
        whatsappUrl: config.whatsappUrl,
        whatsappRootKey: config.whatsappRootKey,
        gate: config.nowebGate,
        mediaTimeoutMs: config.receivedMedia.timeoutMs,
        mediaMaxBytes: config.receivedMedia.maxBytes,
        outgoingMediaBytes: config.outgoingMediaBytes,
        pingMs: ping,
        pingAnswerMs: pingAnswer,
        blipMs: blip,
        conflict: { waitMs: conflictWait, attempts: 3 },
      });
    }
    case 'SCRIPTED': {
      const { createScriptedEngineFactory } = await import('#engine-host/engines/scripted/engine-factory.ts');
      return createScriptedEngineFactory();
    }
    default:
      throw new ConfigError(`ENGINES: ${name} is not in this host`);
  }
}

/** The client of KMS is loaded only where it is used. */
async function createDataKeys({ stateKey, names }: HostConfig, dynamo: AwsClients['dynamo']): Promise<DataKeyProvider> {
  if (stateKey.kind === 'kms') {
    const { createKmsClient } = await import('#shared/adapters/kms-client.ts');
    const { KmsDataKeys } = await import('#shared/adapters/kms-data-keys.ts');
    const wrappedKeys = new DynamoDbWrappedKeyStore(dynamo, names.tables.dataKeys);
    return new KmsDataKeys({ kms: createKmsClient(), keyId: stateKey.keyId, wrappedKeys, clock: systemClock });
  }
  try {
    return new LocalDataKeys(await readMasterKey(stateKey.path));
  } catch (error) {
    throw new ConfigError(`STATE_KEY_FILE: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function platformVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const manifest: unknown = JSON.parse(text);
  const version = typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : undefined;
  return typeof version === 'string' ? version : '0.0.0';
}

function crash(logger: Logger, error: unknown): never {
  logger.fatal({ err: error }, 'host crashed');
  logger.flush();
  process.exit(1);
}

main().catch((error: unknown) => {
  // Before there is a logger, and for people who start it by hand: which variable, or what cannot be reached.
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : `The host could not start: ${String(error)}`}\n`,
  );
  process.exit(1);
});
