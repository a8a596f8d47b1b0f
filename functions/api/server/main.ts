import { serverOperations } from '#shared/contracts/api/server.ts';
import { createApiBase } from '../composition/base.ts';
import { createStores } from '../composition/stores.ts';
import { createGroupFunction } from '../router.ts';
import { createServerHandlers } from './server-handlers.ts';

const base = createApiBase(process.env);
const deps = { ...base, ...createStores(base) };

export const handler = createGroupFunction(serverOperations, createServerHandlers(deps), deps);
