import { sessionsOperations } from '#shared/contracts/api/sessions.ts';
import { createAwsApiDeps } from '../aws-deps.ts';
import { createGroupFunction } from '../router.ts';
import { createSessionsHandlers } from './sessions-handlers.ts';

const deps = createAwsApiDeps(process.env);

export const handler = createGroupFunction(sessionsOperations, createSessionsHandlers(deps), deps);
