import { chatsOperations } from '#shared/contracts/api/chats.ts';
import { createApiBase } from '../composition/base.ts';
import { createQueues } from '../composition/queues.ts';
import { createStores } from '../composition/stores.ts';
import { createGroupFunction } from '../router.ts';
import { createChatsHandlers } from './chats-handlers.ts';

const base = createApiBase(process.env);
const stores = createStores(base);
const deps = { ...base, ...stores, ...createQueues(base, stores) };

export const handler = createGroupFunction(chatsOperations, createChatsHandlers(deps), deps);
