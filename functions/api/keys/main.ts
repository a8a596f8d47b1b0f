import { createSecretPepperReader } from '#shared/adapters/secret-pepper-reader.ts';
import { keysOperations } from '#shared/contracts/api/keys.ts';
import { createApiBase } from '../composition/base.ts';
import { createStores } from '../composition/stores.ts';
import { createGroupFunction } from '../router.ts';
import { createKeysHandlers } from './keys-handlers.ts';

const base = createApiBase(process.env);
const deps = { ...base, ...createStores(base), readPepper: createSecretPepperReader(process.env) };

export const handler = createGroupFunction(keysOperations, createKeysHandlers(deps), deps);
