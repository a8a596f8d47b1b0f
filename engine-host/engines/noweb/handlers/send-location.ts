import type { CommandHandlers } from '../../engine.ts';
import type { HandlerContext } from './handler-context.ts';
import { chatOf } from './message-reference.ts';
import { quoteOf } from './quote.ts';

export function createSendLocation({ sender, context }: HandlerContext): NonNullable<CommandHandlers['sendLocation']> {
  return (command, job) =>
    sender.send(chatOf(command.chatId), job, async (live) => ({
      content: {
        location: {
          degreesLatitude: command.latitude,
          degreesLongitude: command.longitude,
          ...(command.title ? { name: command.title } : {}),
        },
      },
      ...(await quoteOf(command, live, context)),
    }));
}
