import { serverOperations } from '#shared/contracts/api/server.ts';
import { createAwsApiDeps } from '../aws-deps.ts';
import { createGroupFunction } from '../router.ts';
import { createServerHandlers } from './server-handlers.ts';

const deps = createAwsApiDeps(process.env);

export const handler = createGroupFunction(serverOperations, createServerHandlers(deps), deps);
