import { chatsOperations } from './chats.ts';
import { chattingOperations } from './chatting.ts';
import { contactsOperations } from './contacts.ts';
import { docsOperations } from './docs.ts';
import { filesOperations } from './files.ts';
import { jobsOperations } from './jobs.ts';
import { keysOperations } from './keys.ts';
import type { Operation } from './operation.ts';
import { pairingOperations } from './pairing.ts';
import { serverOperations } from './server.ts';
import { sessionsOperations } from './sessions.ts';
import { webhooksOperations } from './webhooks.ts';

/** The route table: every operation of the API. Fixed paths come before those with parameters. */
export const OPERATIONS: readonly Operation[] = [
  ...Object.values(serverOperations),
  ...Object.values(keysOperations),
  ...Object.values(sessionsOperations),
  ...Object.values(chattingOperations),
  ...Object.values(contactsOperations),
  ...Object.values(filesOperations),
  ...Object.values(pairingOperations),
  ...Object.values(chatsOperations),
  ...Object.values(jobsOperations),
  ...Object.values(webhooksOperations),
  ...Object.values(docsOperations),
];
