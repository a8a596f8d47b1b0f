import { chatIdToJid, isGroup } from '#shared/domain/chat-id.ts';
import type { LiveAccount } from './handler-context.ts';
import { chatOf } from './message-reference.ts';

interface Mentioning {
  readonly chatId: string;
  readonly mentions?: readonly string[] | undefined;
}

/** The people a message mentions, as JIDs; `all` in a group is every member. */
export async function mentionsOf(command: Mentioning, live: LiveAccount): Promise<{ mentions?: string[] }> {
  const named = command.mentions ?? [];
  if (named.length === 0) return {};
  const chat = chatOf(command.chatId);
  const people = named.filter((mention) => mention !== 'all').map((mention) => chatIdToJid(chatOf(mention)));
  const everybody =
    named.includes('all') && isGroup(chat) ? (await live.groups.get(chat)).participants.map(({ id }) => id) : [];
  return { mentions: [...new Set([...people, ...everybody])] };
}
