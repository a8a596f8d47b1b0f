import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { startLocalCloud } from '#localstack/embedded/local-cloud.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import { TABLES } from '#shared/contracts/resources.ts';
import type { HostRow } from '#shared/contracts/rows.ts';
import type { Container, Ended } from './container.ts';
import type { BuiltImage } from './plain-build.ts';

/** Hosts of the browser pool in a container, on a cloud of their own. Their engine is the scripted one: it needs no browser, and is there. */
export interface BrowserHosts {
  readonly shards: number;
  /** Starts one and waits for its end. */
  run(environment: Readonly<Record<string, string>>): Promise<Ended>;
  start(): { kill(signal: NodeJS.Signals): void; readonly ended: Promise<number | null> };
  /** Those that have told of themselves. */
  known(): Promise<readonly HostRow[]>;
  /** Shards that have an owner. */
  owned(): Promise<number>;
  stop(): Promise<void>;
}

const SHARDS = 2;
const KEY_FILE = 'state-key';

export async function startBrowserHosts(container: Container, image: BuiltImage): Promise<BrowserHosts> {
  const resources = { ...resourceDefinition(1, undefined, SHARDS), eventSources: [], schedules: [] };
  const cloud = await startLocalCloud({ resources, functions: {} });
  const ownership = new DynamoDbOwnershipStore(DynamoDBDocumentClient.from(cloud.clients.dynamodb), TABLES);
  await writeFile(join(container.tmp, KEY_FILE), randomBytes(32).toString('base64'));
  const command = [...image.entrypoint, ...image.command];
  const environment = {
    ...cloud.env,
    POOL: 'browser',
    ENGINES: 'SCRIPTED',
    SHARD_COUNT: String(SHARDS),
    STATE_KEY_FILE: `/tmp/${KEY_FILE}`,
    PUBLIC_URL: 'https://wa.example.com',
    LOG_LEVEL: 'warn',
  };
  return {
    shards: SHARDS,
    run: (more) => container.run(command, { ...environment, ...more }),
    start() {
      const { child, ended } = container.start(command, environment);
      // What it warns of says why a test fails.
      for (const stream of [child.stdout, child.stderr]) stream?.pipe(process.stderr, { end: false });
      return { kill: (signal) => void child.kill(signal), ended };
    },
    known: () => ownership.hosts(),
    owned: async () =>
      (await ownership.shards()).filter(({ shard, owner }) => /^browser-/.test(shard) && owner !== null).length,
    stop: () => cloud.stop(),
  };
}
