import type { CommandHandlers } from '../../engine.ts';
import type { HandlerContext } from './handler-context.ts';
import { mentionsOf } from './mentions.ts';
import { chatOf } from './message-reference.ts';
import { quoteOf } from './quote.ts';

export function createSendText({ sender, context }: HandlerContext): NonNullable<CommandHandlers['sendText']> {
  return (command, job) =>
    sender.send(chatOf(command.chatId), job, async (live) => ({
      content: { text: command.text, linkPreview: null, ...(await mentionsOf(command, live)) },
      ...(await quoteOf(command, live, context)),
    }));
}
