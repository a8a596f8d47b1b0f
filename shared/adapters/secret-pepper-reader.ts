import * as z from 'zod';
import type { ReadPepper } from '../ports/read-pepper.ts';
import { createPepperReader } from './key-pepper-reader.ts';
import { createSecretReader } from './secrets-manager.ts';

const envSchema = z.object({
  /** Name or ARN of the secret that keys are hashed under. */
  KEY_PEPPER_SECRET: z.string().min(1),
});

/** Reads the pepper from Secrets Manager, for composition roots. @param environment the process's */
export function createSecretPepperReader(environment: Readonly<Record<string, string | undefined>>): ReadPepper {
  const { KEY_PEPPER_SECRET } = envSchema.parse(environment);
  const readSecret = createSecretReader();
  return createPepperReader(() => readSecret(KEY_PEPPER_SECRET));
}
