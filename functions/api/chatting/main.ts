import { chattingOperations } from '#shared/contracts/api/chatting.ts';
import { createApiBase } from '../composition/base.ts';
import { createMedia } from '../composition/media.ts';
import { createQueues } from '../composition/queues.ts';
import { createStores } from '../composition/stores.ts';
import { createGroupFunction } from '../router.ts';
import { createChattingHandlers } from './chatting-handlers.ts';

const base = createApiBase(process.env);
const stores = createStores(base);
const deps = { ...base, ...stores, ...createQueues(base, stores), ...createMedia(base) };

export const handler = createGroupFunction(chattingOperations, createChattingHandlers(deps), deps);
