import { randomBytes } from 'node:crypto';
import type { chattingOperations } from '#shared/contracts/api/chatting.ts';
import { commandReply } from '../command-reply.ts';
import type { ChattingDeps } from '../deps.ts';
import { json, type Reply } from '../reply.ts';
import type { ApiHandlers, ApiRequest } from '../request.ts';
import { preferredWaitMs } from '../request-headers.ts';
import { checkExists } from '../use-cases/check-exists.ts';
import { findSession } from '../use-cases/find-session.ts';
import { listMessages } from '../use-cases/list-messages.ts';
import { awaitStatus, runCommand } from '../use-cases/run-command.ts';
import { rememberSeen, seenMessages } from '../use-cases/seen-messages.ts';

type Table = Pick<
  typeof chattingOperations,
  'sendSeen' | 'startTyping' | 'stopTyping' | 'newMessageId' | 'getMessages' | 'checkNumberStatus'
>;

/** What happens around messages: read marks, typing, look-ups. */
export function createPresenceHandlers(deps: ChattingDeps): ApiHandlers<Table> {
  const setTyping = async (
    { operation, body, headers }: ApiRequest<Table['startTyping'] | Table['stopTyping']>,
    typing: boolean,
  ): Promise<Reply> => {
    const session = await awaitStatus(deps, await findSession(deps, operation, body.session), 'WORKING');
    const command = { type: 'setTyping', chatId: body.chatId, typing } as const;
    return commandReply(await runCommand(deps, session, command, preferredWaitMs(headers)));
  };
  return {
    sendSeen: async ({ operation, body, headers }) => {
      const session = await awaitStatus(deps, await findSession(deps, operation, body.session), 'WORKING');
      const messages = await seenMessages(deps, session.name, body);
      if (messages.length === 0) return json({});
      const command = { type: 'sendSeen', chatId: body.chatId, messages } as const;
      const outcome = await runCommand(deps, session, command, preferredWaitMs(headers));
      if (outcome.kind === 'done') await rememberSeen(deps, session.name, messages);
      return commandReply(outcome);
    },
    startTyping: (request) => setTyping(request, true),
    stopTyping: (request) => setTyping(request, false),
    newMessageId: async ({ operation, params }) => {
      await findSession(deps, operation, params.session);
      return json({ id: `3EB0${randomBytes(9).toString('hex').toUpperCase()}` });
    },
    getMessages: async ({ operation, query, baseUrl }) => {
      const session = await findSession(deps, operation, query.session);
      return json(await listMessages(deps, session.name, query.chatId, query, baseUrl));
    },
    checkNumberStatus: async ({ operation, query, headers }) => {
      const session = await findSession(deps, operation, query.session);
      return commandReply(await checkExists(deps, session, query.phone, preferredWaitMs(headers)));
    },
  };
}
