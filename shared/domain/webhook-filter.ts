/** What a filter wants to know of an event. What an event does not have is left out. */
export interface EventFacts {
  /** Chat that it happened in. */
  readonly chatId?: string;
  /** The LID of a chat with one person, where it is known; `chatId` is the number then, if that is known. */
  readonly chatLid?: string;
  /** Whether the account itself wrote it. */
  readonly own?: boolean;
  /** Of messages only. */
  readonly message?: {
    readonly text: string;
    /** `system`: it is from WhatsApp itself; `unsupported`: somebody wrote it, in a form that cannot be shown (yet). */
    readonly kind: 'written' | 'system' | 'unsupported';
    /** Whether it names the account, or replies to it. */
    readonly addressed: boolean;
  };
}

/** A rule that is left out, false or empty lets everything pass. */
export interface EventFilter {
  readonly skipOwn?: boolean | null | undefined;
  readonly skipStatus?: boolean | null | undefined;
  readonly skipSystem?: boolean | null | undefined;
  readonly skipUnsupported?: boolean | null | undefined;
  readonly groupsOnlyWhenAddressed?: boolean | null | undefined;
  readonly textPrefix?: string | null | undefined;
  /** Whether a text matches the pattern. */
  readonly matches?: ((text: string) => boolean) | undefined;
  readonly allow?: ReadonlySet<string> | undefined;
  readonly deny?: ReadonlySet<string> | undefined;
}

const STATUS_CHAT = 'status@broadcast';

/**
 * Whether an event passes. A rule about something that the event does not have (a text, a chat) lets it pass, but no message gets
 * through a list for want of a chat.
 */
export function passesFilter(filter: EventFilter, { chatId, chatLid, own, message }: EventFacts): boolean {
  if (filter.skipOwn && own === true) return false;
  if (chatId !== undefined) {
    if (filter.skipStatus && chatId === STATUS_CHAT) return false;
    const has = (chats: ReadonlySet<string>) => chats.has(chatId) || (chatLid !== undefined && chats.has(chatLid));
    if (filter.deny !== undefined && has(filter.deny)) return false;
    if (filter.allow !== undefined && !has(filter.allow)) return false;
  } else if (message !== undefined && (filter.allow ?? filter.deny) !== undefined) return false;
  if (message === undefined) return true;
  if (filter.skipSystem && message.kind === 'system') return false;
  if (filter.skipUnsupported && message.kind === 'unsupported') return false;
  if (filter.groupsOnlyWhenAddressed && chatId?.endsWith('@g.us') && !message.addressed) return false;
  if (filter.textPrefix && !message.text.startsWith(filter.textPrefix)) return false;
  return filter.matches?.(message.text) ?? true;
}
