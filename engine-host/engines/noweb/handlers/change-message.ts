import { isGroup } from '#shared/domain/chat-id.ts';
import { EngineError } from '#shared/domain/errors.ts';
import type { CommandHandlers } from '../../engine.ts';
import type { HandlerContext } from './handler-context.ts';
import { chatOf, keyOf, messageOf } from './message-reference.ts';

type Changes = 'sendReaction' | 'forwardMessage' | 'editMessage' | 'deleteMessage';

/** Attribute `edit` of the stanza: what is being done to an earlier message. */
const EDIT = { text: '1', revokeOwn: '7', revokeAsAdmin: '8' } as const;

/** Commands about a message that exists: react to it, forward it, edit it, delete it for everybody. */
export function createMessageChanges({ sender, context }: HandlerContext): Required<Pick<CommandHandlers, Changes>> {
  return {
    sendReaction: ({ chatId, message, reaction }, job) =>
      sender.send(chatOf(chatId), job, async ({ meJid }) => ({
        content: { react: { text: reaction, key: keyOf(message, meJid), senderTimestampMs: context.clock.now() } },
      })),

    forwardMessage: ({ chatId, message }, job) =>
      sender.send(chatOf(chatId), job, async ({ meJid }) => {
        const original = await messageOf(message, meJid, context);
        if (!original.known) throw new EngineError('message-unknown', 'The content of this message is not known here');
        return { content: { forward: original } };
      }),

    editMessage: ({ chatId, message, text }, job) =>
      sender.send(chatOf(chatId), job, async ({ meJid }) => ({
        content: { text, linkPreview: null, edit: keyOf(message, meJid) },
        wire: { edit: EDIT.text },
      })),

    deleteMessage: ({ chatId, message }, job) =>
      sender.send(chatOf(chatId), job, async ({ meJid }) => ({
        content: { delete: keyOf(message, meJid) },
        wire: { edit: isGroup(chatOf(chatId)) && !message.fromMe ? EDIT.revokeAsAdmin : EDIT.revokeOwn },
      })),
  };
}
