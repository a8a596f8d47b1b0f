import { chattingOperations } from '#shared/contracts/api/chatting.ts';
import { createAwsApiDeps } from '../aws-deps.ts';
import { createGroupFunction } from '../router.ts';
import { createChattingHandlers } from './chatting-handlers.ts';

const deps = createAwsApiDeps(process.env);

export const handler = createGroupFunction(chattingOperations, createChattingHandlers(deps), deps);
