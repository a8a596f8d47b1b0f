import { systemClock } from '#shared/adapters/system-clock.ts';
import { docsOperations } from '#shared/contracts/api/docs.ts';
import { createApiLogger } from '../api-logger.ts';
import { apiConfig, apiEnvSchema } from '../env.ts';
import { createGroupFunction } from '../router.ts';
import { createDocsHandlers } from './docs-handlers.ts';

const env = apiEnvSchema.parse(process.env);
const config = apiConfig(env, systemClock.now());

export const handler = createGroupFunction(docsOperations, createDocsHandlers({ config }), {
  config,
  clock: systemClock,
  logger: createApiLogger(env),
});
