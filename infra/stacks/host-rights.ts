import { Aws } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { EVENT_SOURCE, type Pool } from '#shared/contracts/resources.ts';
import {
  allowEvents,
  allowKeyVia,
  allowListing,
  allowObjects,
  allowShardQueues,
  allowTables,
} from '../constructs/access.ts';
import { acknowledgePattern } from '../constructs/acknowledge.ts';
import type { Installation } from '../installation.ts';
import type { DataStack } from './data-stack.ts';

/** What an engine host of a pool may do. */
export function allowHost(role: Role, data: DataStack, installation: Installation, pool: Pool): void {
  const { names } = installation;
  allowTables(role, data, installation, {
    sessions: ['get', 'query', 'update', 'delete'],
    jobs: ['get', 'query', 'update'],
    hosts: ['get', 'scan', 'put', 'update', 'delete'],
    shards: ['get', 'scan', 'put', 'update'],
    messages: ['get', 'query', 'clear'],
    chats: ['clear'],
    eventLog: ['append', 'clear'],
    webhookEndpoints: ['clear'],
    webhookDeliveries: ['clear'],
    journal: ['get', 'query', 'put', 'update', 'clear'],
    dataKeys: ['get', 'query', 'put', 'clear'],
  });
  allowObjects(role, names.buckets.state, ['checkpoints/', 'journal/'], ['GetObject', 'PutObject', 'DeleteObject']);
  allowListing(role, names.buckets.state);
  allowObjects(role, names.buckets.media, ['files/', 'events/'], ['PutObject', 'AbortMultipartUpload']);
  // With a session goes what it sent and received.
  allowObjects(role, names.buckets.media, ['out/', 'files/', 'events/'], ['DeleteObject']);
  // Media to send is read; of received media S3 is asked whether it is there already.
  allowObjects(role, names.buckets.media, ['out/', 'files/'], ['GetObject']);
  allowListing(role, names.buckets.media);
  allowShardQueues(role, installation, pool, [
    'GetQueueUrl',
    'ReceiveMessage',
    'DeleteMessage',
    'ChangeMessageVisibility',
    'SendMessage',
  ]);
  role.addToPolicy(
    new PolicyStatement({
      actions: ['sqs:GetQueueUrl', 'sqs:SendMessage'],
      resources: [`arn:${Aws.PARTITION}:sqs:${Aws.REGION}:${Aws.ACCOUNT_ID}:${names.queues.shardDeadLetters}`],
    }),
  );
  allowEvents(role, installation, EVENT_SOURCE);
  // A host that shows a QR code asks ECS not to stop it when fewer are wanted.
  const tasks = `arn:${Aws.PARTITION}:ecs:${Aws.REGION}:${Aws.ACCOUNT_ID}:task/${names.prefix}/*`;
  role.addToPolicy(
    new PolicyStatement({ actions: ['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection'], resources: [tasks] }),
  );
  acknowledgePattern(role, tasks, 'A task’s id is not known before it runs; the cluster is the installation’s own.');
  for (const key of [data.dataKey, data.stateKey]) allowKeyVia(role, key, { dynamodb: 'write', s3: 'write' });
  // Data keys of sessions; each only together with the session that it was made for.
  role.addToPolicy(
    new PolicyStatement({
      actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
      resources: [data.stateKey.keyArn],
      conditions: { Null: { 'kms:EncryptionContext:session': 'false' } },
    }),
  );
}
