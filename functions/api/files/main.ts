import { filesOperations } from '#shared/contracts/api/files.ts';
import { createAwsApiDeps } from '../aws-deps.ts';
import { createGroupFunction } from '../router.ts';
import { createFilesHandlers } from './files-handlers.ts';

const deps = createAwsApiDeps(process.env);

export const handler = createGroupFunction(filesOperations, createFilesHandlers(deps), deps);
