import type { chattingOperations } from '#shared/contracts/api/chatting.ts';
import type { ChattingDeps } from '../deps.ts';
import { json } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';
import { idempotencyKey, preferredWaitMs } from '../request-headers.ts';
import { findSession } from '../use-cases/find-session.ts';
import { findReference, messageNotFound } from '../use-cases/message-references.ts';
import { sentMessageView } from '../use-cases/message-view.ts';
import { sendMessage } from '../use-cases/send-message.ts';

type Table = Pick<typeof chattingOperations, 'forwardMessage' | 'setReaction'>;

/** Messages about another message. */
export function createReferenceHandlers(deps: ChattingDeps): ApiHandlers<Table> {
  return {
    forwardMessage: async ({ operation, body, headers }) => {
      const key = idempotencyKey(headers);
      const session = await findSession(deps, operation, body.session);
      const message = await findReference(deps, session.name, body.messageId);
      // Without its content there is nothing to forward.
      if (message?.content === undefined) throw messageNotFound(body.messageId);
      const { job, command } = await sendMessage(
        deps,
        session,
        { command: { type: 'forwardMessage', chatId: body.chatId, message } },
        { presetId: body.id, idempotencyKey: key, waitMs: preferredWaitMs(headers) },
      );
      return json(sentMessageView(job, command, session));
    },
    setReaction: async ({ operation, body, headers }) => {
      const key = idempotencyKey(headers);
      const session = await findSession(deps, operation, body.session);
      const found = await findReference(deps, session.name, body.messageId);
      if (found === undefined) throw messageNotFound(body.messageId);
      const { content: _notNeeded, ...message } = found;
      const { job, command } = await sendMessage(
        deps,
        session,
        { command: { type: 'sendReaction', chatId: message.chatId, message, reaction: body.reaction } },
        { idempotencyKey: key, waitMs: preferredWaitMs(headers) },
      );
      return json(sentMessageView(job, command, session));
    },
  };
}
