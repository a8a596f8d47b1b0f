import { Aws } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
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

/** What an engine host of the socket pool may do. */
export function allowHost(role: Role, data: DataStack, installation: Installation): void {
  const { names } = installation;
  allowTables(role, data, installation, {
    sessions: ['read', 'write'],
    jobs: ['read', 'write'],
    hosts: ['read', 'scan', 'write'],
    shards: ['read', 'scan', 'write'],
    messages: ['read', 'clear'],
    chats: ['clear'],
    eventLog: ['append', 'clear'],
    webhookEndpoints: ['clear'],
    webhookDeliveries: ['clear'],
    journal: ['read', 'write', 'clear'],
    dataKeys: ['read', 'write', 'clear'],
  });
  allowObjects(role, names.buckets.state, ['checkpoints/', 'journal/'], ['GetObject', 'PutObject', 'DeleteObject']);
  allowListing(role, names.buckets.state);
  allowObjects(role, names.buckets.media, ['files/', 'events/'], ['PutObject', 'AbortMultipartUpload']);
  // With a session goes what it sent and received.
  allowObjects(role, names.buckets.media, ['out/', 'files/', 'events/'], ['DeleteObject']);
  allowObjects(role, names.buckets.media, ['out/'], ['GetObject']);
  allowListing(role, names.buckets.media);
  allowShardQueues(role, installation, 'socket', [
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
  allowEvents(role, installation);
  // A host that shows a QR code asks ECS not to stop it when fewer are wanted.
  const tasks = `arn:${Aws.PARTITION}:ecs:${Aws.REGION}:${Aws.ACCOUNT_ID}:task/${names.prefix}/*`;
  role.addToPolicy(
    new PolicyStatement({ actions: ['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection'], resources: [tasks] }),
  );
  acknowledgePattern(role, tasks, 'A task’s id is not known before it runs; the cluster is the installation’s own.');
  allowKeyVia(role, data.dataKey, ['dynamodb', 's3']);
  allowKeyVia(role, data.stateKey, ['dynamodb', 's3']);
  // Data keys of sessions; each only together with the session that it was made for.
  role.addToPolicy(
    new PolicyStatement({
      actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
      resources: [data.stateKey.keyArn],
      conditions: { Null: { 'kms:EncryptionContext:session': 'false' } },
    }),
  );
}
