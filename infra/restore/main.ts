import { setTimeout as delay } from 'node:timers/promises';
import { ulid } from 'ulid';
import * as z from 'zod';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { DynamoDbWholeTable } from '#shared/adapters/dynamodb-whole-table.ts';
import { createS3Client } from '#shared/adapters/s3-client.ts';
import { S3WholeBucket } from '#shared/adapters/s3-whole-bucket.ts';
import { createSqsClient } from '#shared/adapters/sqs-client.ts';
import { SqsWebhookQueue } from '#shared/adapters/sqs-webhook-queue.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { TrunklineError } from '#shared/domain/errors.ts';
import { IncompleteCopyError } from './copying.ts';
import { ArgumentError, parseArguments, type RestoreArguments, USAGE } from './restore-arguments.ts';
import { type Buckets, RestoreRefusedError, restoreInstallation, type Tables } from './restore-installation.ts';

/** Hosts beat every two seconds. */
const PAUSE_MS = 10_000;

const environment = z.object({ S3_PATH_STYLE: z.stringbool().default(false) });

async function main(args: RestoreArguments): Promise<void> {
  const dynamo = createDynamoDbClient();
  const s3 = createS3Client(environment.parse(process.env).S3_PATH_STYLE);
  const namesOf = (prefix: string) => resourceNames({ RESOURCE_PREFIX: prefix, BUCKET_SUFFIX: args.bucketSuffix });
  const table = (name: string) => new DynamoDbWholeTable(dynamo, name);
  const tablesOf = (prefix: string): Tables => {
    const { tables } = namesOf(prefix);
    return {
      sessions: table(tables.sessions),
      shards: table(tables.shards),
      jobs: table(tables.jobs),
      messages: table(tables.messages),
      chats: table(tables.chats),
      apiKeys: table(tables.apiKeys),
      audit: table(tables.audit),
      journal: table(tables.journal),
      dataKeys: table(tables.dataKeys),
      eventLog: table(tables.eventLog),
      webhookEndpoints: table(tables.webhookEndpoints),
      webhookDeliveries: table(tables.webhookDeliveries),
    };
  };
  const bucketsOf = (prefix: string): Buckets => {
    const { state, media } = namesOf(prefix).buckets;
    return { state: new S3WholeBucket(s3, state), media: new S3WholeBucket(s3, media) };
  };
  const hostsOf = (prefix: string) => table(namesOf(prefix).tables.hosts);
  const queueOf = (prefix: string) => new SqsWebhookQueue(createSqsClient(), { queues: namesOf(prefix).queues });
  const { from, to } = args;
  const report = (line: string) => process.stdout.write(`${line}\n`);
  const { sessions, lastShard } = await restoreInstallation({
    backup: { tables: tablesOf(args.tables), buckets: bucketsOf(from), at: args.at, hosts: hostsOf(from) },
    target: { tables: tablesOf(to), buckets: bucketsOf(to), hosts: hostsOf(to), webhooks: queueOf(to) },
    withMedia: args.withMedia,
    restore: ulid(),
    now: Date.now,
    pause: () => delay(PAUSE_MS),
    report,
  });
  report(
    `\n${to} has ${sessions} sessions, on shards up to ${lastShard ?? 'none'}. It may have hosts now; ${from} must not.`,
  );
}

try {
  await main(parseArguments(process.argv.slice(2)));
} catch (error) {
  const isExpected =
    error instanceof RestoreRefusedError || error instanceof IncompleteCopyError || error instanceof TrunklineError;
  if (error instanceof ArgumentError) process.stderr.write(`${error.message}\n\n${USAGE}`);
  else process.stderr.write(`${isExpected ? error.message : `The restore failed: ${String(error)}`}\n`);
  process.exitCode = 1;
}
