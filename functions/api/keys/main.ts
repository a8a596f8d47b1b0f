import { createSecretPepperReader } from '#shared/adapters/secret-pepper-reader.ts';
import { keysOperations } from '#shared/contracts/api/keys.ts';
import { createAwsApiDeps } from '../aws-deps.ts';
import { createGroupFunction } from '../router.ts';
import { createKeysHandlers } from './keys-handlers.ts';

const deps = createAwsApiDeps(process.env);
const readPepper = createSecretPepperReader(process.env);

export const handler = createGroupFunction(keysOperations, createKeysHandlers({ ...deps, readPepper }), deps);
