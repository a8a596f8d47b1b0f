import * as z from 'zod';
import { createPepperReader } from '#shared/adapters/key-pepper-reader.ts';
import { createSecretReader } from '#shared/adapters/secrets-manager.ts';
import { keysOperations } from '#shared/contracts/api/keys.ts';
import { createAwsApiDeps } from '../aws-deps.ts';
import { createGroupFunction } from '../router.ts';
import { createKeysHandlers } from './keys-handlers.ts';

const { KEY_PEPPER_SECRET } = z
  .object({
    /** ARN of the secret that keys are hashed under. */
    KEY_PEPPER_SECRET: z.string().min(1),
  })
  .parse(process.env);
const deps = createAwsApiDeps(process.env);
const readSecret = createSecretReader();
const readPepper = createPepperReader(() => readSecret(KEY_PEPPER_SECRET));

export const handler = createGroupFunction(keysOperations, createKeysHandlers({ ...deps, readPepper }), deps);
