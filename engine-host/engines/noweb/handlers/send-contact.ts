import type { CommandHandlers } from '../../engine.ts';
import type { HandlerContext } from './handler-context.ts';
import { chatOf } from './message-reference.ts';
import { quoteOf } from './quote.ts';

export function createSendContact({
  sender,
  context,
}: HandlerContext): NonNullable<CommandHandlers['sendContactVcard']> {
  return (command, job) =>
    sender.send(chatOf(command.chatId), job, async (live) => ({
      content: { contacts: { displayName: titleOf(command.contacts), contacts: command.contacts } },
      ...(await quoteOf(command, live, context)),
    }));
}

function titleOf(contacts: readonly { readonly displayName: string }[]): string {
  const [first] = contacts;
  return contacts.length === 1 && first ? first.displayName : `${contacts.length} contacts`;
}
