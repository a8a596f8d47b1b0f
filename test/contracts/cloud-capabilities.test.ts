import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ListTablesCommand,
  RestoreTableToPointInTimeCommand,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#localstack/demo/until.ts';
import { createClients } from '#localstack/embedded/cloud-clients.ts';
import { TABLES } from '#shared/contracts/resources.ts';
import { itNeeds } from '#test/target/needs.ts';
import { type AwsBacking, startAwsBacking } from './aws-backing.ts';

let aws: AwsBacking;
beforeAll(async () => {
  aws = await startAwsBacking();
});
afterAll(() => aws?.close());

const urlOf = async (QueueName: string) =>
  (await aws.clients.sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? '';
const arnOf = async (QueueUrl: string) =>
  (await aws.clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))).Attributes
    ?.QueueArn ?? '';
const sendTo = (
  QueueUrl: string,
  MessageBody: string,
  MessageGroupId: string,
  MessageDeduplicationId: string = randomUUID(),
) => aws.clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId, MessageDeduplicationId }));
const bodiesIn = async (QueueUrl: string, options: { readonly VisibilityTimeout?: number } = {}) => {
  const asked = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, ...options };
  return ((await aws.clients.sqs.send(new ReceiveMessageCommand(asked))).Messages ?? []).map(({ Body }) => Body);
};

describe('SQS', () => {
  itNeeds('fifoBatchOfGroup', 'gives several messages of a group at once, in order', async () => {
    const url = await urlOf(await aws.createFifoQueue());
    for (const body of ['1', '2', '3']) await sendTo(url, body, 'a');
    expect(await bodiesIn(url)).toEqual(['1', '2', '3']);
  });

  itNeeds('deduplicationPerGroup', 'takes a deduplication id once in each group', async () => {
    const url = await urlOf(await aws.createFifoQueue());
    const perGroup = { DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' };
    await aws.clients.sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: perGroup }));
    await sendTo(url, 'of a', 'a', 'same');
    await sendTo(url, 'of b', 'b', 'same');
    await sendTo(url, 'again', 'b', 'same');
    const seen = [...(await bodiesIn(url)), ...(await bodiesIn(url))];
    expect(seen.toSorted()).toEqual(['of a', 'of b']);
  });

  /** A queue whose messages are dead after one receipt, with one in it that has been received. */
  const withDeadLetter = async (deadLetters: string): Promise<string> => {
    const url = await urlOf(await aws.createFifoQueue());
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: await arnOf(deadLetters), maxReceiveCount: 1 });
    await aws.clients.sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { RedrivePolicy } }));
    await sendTo(url, 'poison', 'a');
    expect(await bodiesIn(url, { VisibilityTimeout: 0 })).toEqual(['poison']);
    await until('its death', async () => ((await bodiesIn(url)).length === 0 ? true : undefined));
    return url;
  };

  it('puts aside what is received too often', async () => {
    const deadLetters = await urlOf(await aws.createFifoQueue());
    await withDeadLetter(deadLetters);
    expect(await bodiesIn(deadLetters)).toEqual(['poison']);
  });

  itNeeds('redrive', 'brings dead letters back', async () => {
    const deadLetters = await urlOf(await aws.createFifoQueue());
    const url = await withDeadLetter(deadLetters);
    await aws.clients.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: await arnOf(deadLetters) }));
    await until('the message', async () => ((await bodiesIn(url)).includes('poison') ? true : undefined));
  });
});

describe('S3', () => {
  itNeeds('expiredUrls', 'refuses a presigned URL that has ended', async () => {
    const at = { Bucket: await aws.createBucket(), Key: 'k' };
    await aws.clients.s3.send(new PutObjectCommand({ ...at, Body: 'x' }));
    const statusOf = async (signingDate: Date) =>
      (await fetch(await getSignedUrl(aws.clients.s3, new GetObjectCommand(at), { expiresIn: 60, signingDate })))
        .status;
    expect(await statusOf(new Date())).toBe(200);
    expect(await statusOf(new Date(Date.now() - 120_000))).toBe(403);
  });

  itNeeds('objectVersions', 'keeps what was overwritten', async () => {
    const at = { Bucket: await aws.createBucket(), Key: 'k' };
    const VersioningConfiguration = { Status: 'Enabled' as const };
    await aws.clients.s3.send(new PutBucketVersioningCommand({ Bucket: at.Bucket, VersioningConfiguration }));
    const { VersionId } = await aws.clients.s3.send(new PutObjectCommand({ ...at, Body: 'first' }));
    await aws.clients.s3.send(new PutObjectCommand({ ...at, Body: 'second' }));
    const first = await aws.clients.s3.send(new GetObjectCommand({ ...at, VersionId }));
    expect(await first.Body?.transformToString()).toBe('first');
  });
});

describe('DynamoDB', () => {
  itNeeds('timeToLive', 'takes an attribute for the expiry of items', async () => {
    const TableName = await aws.createTable(TABLES.jobs);
    const TimeToLiveSpecification = { AttributeName: 'ttl', Enabled: true };
    await aws.clients.dynamo.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  });

  itNeeds('pointInTimeRecovery', 'restores a table as it was', async () => {
    const SourceTableName = await aws.createTable(TABLES.chats);
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
    const backups = { TableName: SourceTableName, PointInTimeRecoverySpecification };
    await aws.clients.dynamo.send(new UpdateContinuousBackupsCommand(backups));
    // AWS can restore to what is some minutes old.
    await until(
      'a restore',
      async () => {
        const restore = {
          SourceTableName,
          TargetTableName: `${SourceTableName}-restored`,
          UseLatestRestorableTime: true,
        };
        const begun = aws.clients.dynamo.send(new RestoreTableToPointInTimeCommand(restore));
        const error = await begun.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error === undefined) return true;
        if (!(error instanceof Error && error.name === 'InvalidRestoreTimeException')) throw error;
        return await delay(5_000);
      },
      600_000,
    );
  });
});

itNeeds('signatures', 'a request signed with a wrong secret is refused', async () => {
  const { dynamodb } = createClients({ ...aws.env, AWS_SECRET_ACCESS_KEY: 'wrong' });
  await expect(dynamodb.send(new ListTablesCommand({}))).rejects.toThrow();
  dynamodb.destroy();
});
