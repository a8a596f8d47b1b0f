import { createNoteUse } from '#functions/authorizer/last-used.ts';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { DynamoDbAuditLog } from '#shared/adapters/dynamodb-audit-log.ts';
import { DynamoDbChatStore } from '#shared/adapters/dynamodb-chat-store.ts';
import { DynamoDbEventSeqs } from '#shared/adapters/dynamodb-event-seqs.ts';
import { DynamoDbJobStore } from '#shared/adapters/dynamodb-job-store.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { DynamoDbWebhookStore } from '#shared/adapters/dynamodb-webhook-store.ts';
import type { ApiDeps } from '../deps.ts';
import { createSignedCaller } from '../signed-caller.ts';
import type { ApiBase } from './base.ts';

type Stores = Pick<
  ApiDeps,
  'sessions' | 'keys' | 'signedCaller' | 'audit' | 'jobs' | 'messages' | 'chats' | 'webhooks' | 'eventSeqs'
>;

/** What is in DynamoDB alone. */
export function createStores({ dynamo, names: { tables }, config, clock, logger }: ApiBase): Stores {
  const sessions = new DynamoDbSessionStore(dynamo, tables.sessions);
  const keys = new DynamoDbApiKeyStore(dynamo, tables.apiKeys);
  return {
    sessions,
    keys,
    signedCaller: createSignedCaller({ keys, sessions, clock, noteUse: createNoteUse({ keys, clock, logger }) }),
    audit: new DynamoDbAuditLog(dynamo, tables.audit, config.auditDays),
    jobs: new DynamoDbJobStore(dynamo, tables.jobs),
    messages: new DynamoDbMessageStore(dynamo, tables.messages),
    chats: new DynamoDbChatStore(dynamo, tables.chats),
    webhooks: new DynamoDbWebhookStore(dynamo, tables),
    eventSeqs: new DynamoDbEventSeqs(dynamo, tables.eventLog),
  };
}
