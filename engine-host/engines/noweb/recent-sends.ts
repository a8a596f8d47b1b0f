const CAPACITY = 64;

/** Content of the latest messages this session sent, for retry receipts, which come within seconds if at all. */
export class RecentSends {
  readonly #contents = new Map<string, Uint8Array>();

  set(messageId: string, content: Uint8Array): void {
    this.#contents.delete(messageId);
    this.#contents.set(messageId, content);
    if (this.#contents.size <= CAPACITY) return;
    const oldest = this.#contents.keys().next().value;
    if (oldest !== undefined) this.#contents.delete(oldest);
  }

  get(messageId: string): Uint8Array | undefined {
    return this.#contents.get(messageId);
  }
}
