import type { chatsOperations } from '#shared/contracts/api/chats.ts';
import type { NamedMessage } from '#shared/contracts/api/fields.ts';
import type { Operation } from '#shared/contracts/api/operation.ts';
import type { MessageReference, SendCommand } from '#shared/contracts/commands.ts';
import type { ChatId } from '#shared/domain/chat-id.ts';
import { ValidationError } from '#shared/domain/errors.ts';
import type { ChatsDeps } from '../deps.ts';
import { json, type Reply } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';
import { idempotencyKey, preferredWaitMs } from '../request-headers.ts';
import { findSession } from '../use-cases/find-session.ts';
import { findOwnReference } from '../use-cases/message-references.ts';
import { sentMessageView } from '../use-cases/message-view.ts';
import { sendMessage } from '../use-cases/send-message.ts';

type Table = Pick<typeof chatsOperations, 'editMessage' | 'deleteMessage'>;

interface ChangeRequest {
  readonly operation: Operation;
  readonly params: { readonly session: string; readonly chatId: ChatId; readonly messageId: NamedMessage };
  readonly headers: Readonly<Record<string, string>>;
}

/** Changes to messages that are out already: themselves messages, sent like any other. */
export function createChangeMessageHandlers(deps: ChatsDeps): ApiHandlers<Table> {
  const change = async (
    { operation, params, headers }: ChangeRequest,
    build: (message: MessageReference) => SendCommand,
  ): Promise<Reply> => {
    const key = idempotencyKey(headers);
    const session = await findSession(deps, operation, params.session);
    const message = await findOwnReference(deps, session.name, params.messageId, params.chatId);
    const options = { idempotencyKey: key, waitMs: preferredWaitMs(headers) };
    const { job, command } = await sendMessage(deps, session, { command: build(message) }, options);
    return json(sentMessageView(job, command, session));
  };
  return {
    editMessage: (request) =>
      change(request, (message) => {
        if (!message.fromMe) {
          const rule = "must be one of the session's own messages";
          throw new ValidationError([{ path: 'path.messageId', message: rule }]);
        }
        return { type: 'editMessage', chatId: message.chatId, message, text: request.body.text };
      }),
    deleteMessage: (request) =>
      change(request, (message) => ({ type: 'deleteMessage', chatId: message.chatId, message })),
  };
}
