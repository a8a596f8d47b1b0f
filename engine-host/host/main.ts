import { readFile } from 'node:fs/promises';
import { type AwsClients, createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbChatStore } from '#shared/adapters/dynamodb-chat-store.ts';
import { DynamoDbJobStore } from '#shared/adapters/dynamodb-job-store.ts';
import { DynamoDbJournalStore } from '#shared/adapters/dynamodb-journal-store.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { DynamoDbWrappedKeyStore } from '#shared/adapters/dynamodb-wrapped-key-store.ts';
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
import type { DataKeyProvider } from '#shared/ports/data-keys.ts';
import type { EngineFactory } from '../engines/engine.ts';
import { ConfigError, type HostConfig, readHostConfig } from './config.ts';
import { startHost } from './host.ts';
import { openPulseFile } from './pulse-file.ts';

const ORPHAN_DRAIN_MS = 5_000;

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

  const pulse =
    config.pulseFile === undefined
      ? undefined
      : await openPulseFile(config.pulseFile, (error) => logger.warn({ err: error }, 'pulse not written'));
  const clients = createAwsClients({ pathStyle: config.s3PathStyle });
  const { tables, buckets, bus, queues, shardQueue } = config.names;
  const media = new S3MediaStore(clients.s3, buckets.media);
  const messages = new DynamoDbMessageStore(clients.dynamo, tables.messages);
  const host = await startHost({
    config,
    version: await platformVersion(),
    clock: systemClock,
    logger,
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
    bus: new EventBridgeEventBus(clients.eventBridge, media, bus),
    messages,
    readModels: [messages, new DynamoDbChatStore(clients.dynamo, tables.chats)],
    engines: await Promise.all(config.engines.map((name) => createEngine(name, config))),
  });
  logger.info({ pool: config.pool, shards: config.shardCount, engines: config.engines }, 'host started');

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
  destroyAwsClients(clients);
  logger.info('host stopped');
  logger.flush();
  process.exit(0);
}

/** An engine's libraries are loaded only where the engine is used. */
async function createEngine(name: EngineName, config: HostConfig): Promise<EngineFactory> {
  switch (name) {
    case 'NOWEB': {
      const { createNowebEngineFactory } = await import('#engine-host/engines/noweb/noweb-engine-factory.ts');
      const { assertStanzaBytes } = await import('#engine-host/engines/noweb/seams.ts');
      await assertStanzaBytes();
      return createNowebEngineFactory({ whatsappUrl: config.whatsappUrl, gate: config.nowebGate });
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
