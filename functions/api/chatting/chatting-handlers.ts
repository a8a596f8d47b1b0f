import type { chattingOperations } from '#shared/contracts/api/chatting.ts';
import type { ChattingDeps } from '../deps.ts';
import type { ApiHandlers } from '../request.ts';
import { createPresenceHandlers } from './presence-handlers.ts';
import { createReferenceHandlers } from './reference-handlers.ts';
import { createSendHandlers } from './send-handlers.ts';

export function createChattingHandlers(deps: ChattingDeps): ApiHandlers<typeof chattingOperations> {
  return { ...createSendHandlers(deps), ...createReferenceHandlers(deps), ...createPresenceHandlers(deps) };
}
