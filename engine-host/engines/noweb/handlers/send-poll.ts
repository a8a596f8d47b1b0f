import type { CommandHandlers } from '../../engine.ts';
import type { HandlerContext } from './handler-context.ts';
import { chatOf } from './message-reference.ts';
import { quoteOf } from './quote.ts';

export function createSendPoll({ sender, context }: HandlerContext): NonNullable<CommandHandlers['sendPoll']> {
  return (command, job) =>
    sender.send(chatOf(command.chatId), job, async (live) => ({
      content: {
        poll: { name: command.name, values: command.options, selectableCount: command.multipleAnswers ? 0 : 1 },
      },
      ...(await quoteOf(command, live, context)),
    }));
}
