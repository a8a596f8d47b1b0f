import { chatsOperations } from '#shared/contracts/api/chats.ts';
import { createAwsApiDeps } from '../aws-deps.ts';
import { createGroupFunction } from '../router.ts';
import { createChatsHandlers } from './chats-handlers.ts';

const deps = createAwsApiDeps(process.env);

export const handler = createGroupFunction(chatsOperations, createChatsHandlers(deps), deps);
