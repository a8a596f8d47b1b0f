import { chatsOperations } from '#shared/contracts/api/chats.ts';
import { chattingOperations } from '#shared/contracts/api/chatting.ts';
import { contactsOperations } from '#shared/contracts/api/contacts.ts';
import { docsOperations } from '#shared/contracts/api/docs.ts';
import { filesOperations } from '#shared/contracts/api/files.ts';
import { jobsOperations } from '#shared/contracts/api/jobs.ts';
import { keysOperations } from '#shared/contracts/api/keys.ts';
import { pairingOperations } from '#shared/contracts/api/pairing.ts';
import type { ApiFunctionName } from '#shared/contracts/api/routes.ts';
import { serverOperations } from '#shared/contracts/api/server.ts';
import { sessionsOperations } from '#shared/contracts/api/sessions.ts';
import { webhooksOperations } from '#shared/contracts/api/webhooks.ts';
import { createChatsHandlers } from './chats/chats-handlers.ts';
import { createChattingHandlers } from './chatting/chatting-handlers.ts';
import { createContactsHandlers } from './contacts/contacts-handlers.ts';
import type { ApiDeps } from './deps.ts';
import { createDocsHandlers } from './docs/docs-handlers.ts';
import { createFilesHandlers } from './files/files-handlers.ts';
import { createJobsHandlers } from './jobs/jobs-handlers.ts';
import { createKeysHandlers, type KeysDeps } from './keys/keys-handlers.ts';
import { createPairingHandlers } from './pairing/pairing-handlers.ts';
import { type ApiFunction, createGroupFunction } from './router.ts';
import { createServerHandlers } from './server/server-handlers.ts';
import { createSessionsHandlers } from './sessions/sessions-handlers.ts';
import { createWebhooksHandlers } from './webhooks/webhooks-handlers.ts';

/** All functions of the API in one process, over the same dependencies. */
export function createApiFunctions(deps: ApiDeps & KeysDeps): Readonly<Record<ApiFunctionName, ApiFunction>> {
  return {
    'api-sessions': createGroupFunction(sessionsOperations, createSessionsHandlers(deps), deps),
    'api-pairing': createGroupFunction(pairingOperations, createPairingHandlers(deps), deps),
    'api-chatting': createGroupFunction(chattingOperations, createChattingHandlers(deps), deps),
    'api-chats': createGroupFunction(chatsOperations, createChatsHandlers(deps), deps),
    'api-contacts': createGroupFunction(contactsOperations, createContactsHandlers(deps), deps),
    'api-files': createGroupFunction(filesOperations, createFilesHandlers(deps), deps),
    'api-jobs': createGroupFunction(jobsOperations, createJobsHandlers(deps), deps),
    'api-webhooks': createGroupFunction(webhooksOperations, createWebhooksHandlers(deps), deps),
    'api-keys': createGroupFunction(keysOperations, createKeysHandlers(deps), deps),
    'api-server': createGroupFunction(serverOperations, createServerHandlers(deps), deps),
    'api-docs': createGroupFunction(docsOperations, createDocsHandlers(deps), deps),
  };
}
