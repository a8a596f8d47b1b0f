import type { MessageStore } from '#shared/ports/read-models.ts';

const KEPT = 64;

/** Contents of messages a session has sent: the latest from memory, earlier ones from the read model. */
export class SentContents {
  readonly #session: string;
  readonly #messages: Pick<MessageStore, 'get'>;
  readonly #latest = new Map<string, Uint8Array>();

  constructor(session: string, messages: Pick<MessageStore, 'get'>) {
    this.#session = session;
    this.#messages = messages;
  }

  remember(messageId: string, content: Uint8Array): void {
    this.#latest.delete(messageId);
    this.#latest.set(messageId, content);
    const [oldest] = this.#latest.keys();
    if (this.#latest.size > KEPT && oldest !== undefined) this.#latest.delete(oldest);
  }

  /** True for the latest that were remembered here. */
  has(messageId: string): boolean {
    return this.#latest.has(messageId);
  }

  async get(messageId: string): Promise<Uint8Array | undefined> {
    const latest = this.#latest.get(messageId);
    if (latest !== undefined) return latest;
    const row = await this.#messages.get(this.#session, messageId);
    const content = row?.message._data?.content;
    return typeof content === 'string' ? Buffer.from(content, 'base64') : undefined;
  }
}
