import { createLogger, type Logger } from '#shared/observability/logger.ts';
import { trailFields } from './request-trail.ts';

/** The logger of the API's functions: whoever logs, the line says for which request. */
export function createApiLogger({ LOG_LEVEL }: { readonly LOG_LEVEL: string }): Logger {
  return createLogger({ name: 'api', level: LOG_LEVEL, context: trailFields });
}
