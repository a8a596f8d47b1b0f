import type { MessageRow } from '#shared/contracts/rows.ts';
import type { SaidOfAuthor } from '#shared/domain/message-author.ts';
import type { MessageStore } from '#shared/ports/read-models.ts';

const KEPT = 64;

interface Sent {
  readonly chatId: string;
  readonly content: Uint8Array;
}

/** Contents of a session's messages: of the latest it has sent from memory, of all others from the read model. */
export class SentContents {
  readonly #session: string;
  readonly #messages: Pick<MessageStore, 'get'>;
  readonly #latest = new Map<string, Sent>();

  constructor(session: string, messages: Pick<MessageStore, 'get'>) {
    this.#session = session;
    this.#messages = messages;
  }

  remember(messageId: string, chatId: string, content: Uint8Array): void {
    this.#latest.delete(messageId);
    this.#latest.set(messageId, { chatId, content });
    const [oldest] = this.#latest.keys();
    if (this.#latest.size > KEPT && oldest !== undefined) this.#latest.delete(oldest);
  }

  /** True for the latest that were remembered here. */
  has(messageId: string): boolean {
    return this.#latest.has(messageId);
  }

  /** Content of a message, whoever has sent it. */
  async get(messageId: string, author: SaidOfAuthor): Promise<Uint8Array | undefined> {
    const latest = this.#latest.get(messageId);
    if (latest !== undefined && author.fromMe !== false) return latest.content;
    const known = contentIn(await this.#messages.get(this.#session, messageId, author)) ?? latest?.content;
    if (known !== undefined || author.fromMe !== false) return known;
    // Of a message that nobody knew when the command came, it was a guess.
    return contentIn(await this.#messages.get(this.#session, messageId, { chatId: author.chatId, fromMe: true }));
  }

  /** Content of a message that the account has sent to one of these chats. */
  async getSent(messageId: string, chatIds: readonly string[]): Promise<Uint8Array | undefined> {
    const latest = this.#latest.get(messageId);
    if (latest !== undefined) return chatIds.includes(latest.chatId) ? latest.content : undefined;
    const rows = chatIds.map((chatId) => this.#messages.get(this.#session, messageId, { fromMe: true, chatId }));
    return contentIn((await Promise.all(rows)).find((row) => row !== undefined));
  }
}

function contentIn(row: MessageRow | undefined): Uint8Array | undefined {
  const content = row?.message._data?.content;
  return typeof content === 'string' ? Buffer.from(content, 'base64') : undefined;
}
