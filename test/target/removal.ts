import { DeleteTableCommand, type DynamoDBClient, paginateListTables } from '@aws-sdk/client-dynamodb';
import {
  DeleteEventBusCommand,
  DeleteRuleCommand,
  type EventBridgeClient,
  ListEventBusesCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  paginateListBuckets,
  type S3Client,
} from '@aws-sdk/client-s3';
import { DeleteQueueCommand, paginateListQueues, type SQSClient } from '@aws-sdk/client-sqs';
import { createClients } from '#localstack/embedded/cloud-clients.ts';
import type { OutsideTarget } from './target.ts';

/** Removes everything whose name begins with the target's prefix: what a test has made, and nothing else. */
export async function removeEverything({ env, prefix }: OutsideTarget): Promise<void> {
  const clients = createClients(env);
  try {
    await Promise.all([
      removeTables(clients.dynamodb, prefix),
      removeQueues(clients.sqs, prefix),
      removeBuckets(clients.s3, prefix),
      removeBuses(clients.eventBridge, prefix),
      removeRules(clients.eventBridge, { NamePrefix: prefix }),
    ]);
  } finally {
    for (const client of Object.values(clients)) client.destroy();
  }
}

async function removeTables(client: DynamoDBClient, prefix: string): Promise<void> {
  for await (const { TableNames = [] } of paginateListTables({ client }, { ExclusiveStartTableName: prefix })) {
    const ours = TableNames.filter((name) => name.startsWith(prefix));
    await Promise.all(ours.map((TableName) => client.send(new DeleteTableCommand({ TableName }))));
    if (ours.length < TableNames.length) return;
  }
}

async function removeQueues(client: SQSClient, prefix: string): Promise<void> {
  const urls: string[] = [];
  for await (const { QueueUrls = [] } of paginateListQueues({ client }, { QueueNamePrefix: prefix })) {
    urls.push(...QueueUrls);
  }
  await Promise.all(urls.map((QueueUrl) => client.send(new DeleteQueueCommand({ QueueUrl }))));
}

async function removeBuckets(client: S3Client, prefix: string): Promise<void> {
  for await (const { Buckets = [] } of paginateListBuckets({ client }, { Prefix: prefix })) {
    for (const { Name: Bucket = '' } of Buckets) {
      if (!Bucket.startsWith(prefix)) continue;
      await emptyBucket(client, Bucket);
      await client.send(new DeleteBucketCommand({ Bucket }));
    }
  }
}

/** Every version of every object, and the marks of deleted ones. */
async function emptyBucket(client: S3Client, Bucket: string): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    const all = [...Versions, ...DeleteMarkers];
    if (all.length === 0) return;
    await Promise.all(
      all.map(({ Key, VersionId }) => client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }))),
    );
  }
}

async function removeBuses(client: EventBridgeClient, prefix: string): Promise<void> {
  const { EventBuses = [] } = await client.send(new ListEventBusesCommand({ NamePrefix: prefix }));
  for (const { Name = '' } of EventBuses) {
    await removeRules(client, { EventBusName: Name });
    await client.send(new DeleteEventBusCommand({ Name }));
  }
}

/** Without a bus, of the default one. */
async function removeRules(
  client: EventBridgeClient,
  { EventBusName, NamePrefix }: { readonly EventBusName?: string; readonly NamePrefix?: string },
): Promise<void> {
  const { Rules = [] } = await client.send(new ListRulesCommand({ EventBusName, NamePrefix }));
  for (const { Name: Rule } of Rules) {
    const { Targets = [] } = await client.send(new ListTargetsByRuleCommand({ EventBusName, Rule }));
    const Ids = Targets.map(({ Id = '' }) => Id);
    if (Ids.length > 0) await client.send(new RemoveTargetsCommand({ EventBusName, Rule, Ids }));
    await client.send(new DeleteRuleCommand({ EventBusName, Name: Rule }));
  }
}
