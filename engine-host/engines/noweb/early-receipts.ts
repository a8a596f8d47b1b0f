/**
 * How long the job of a message that WhatsApp has may take to come again. One that has ended otherwise (it was cancelled, it
 * has expired) never does, and what became of its message is told all the same.
 */
const JOB_RETURNS_MS = 5 * 60_000;

/**
 * Receipts for messages of ours that nobody has been told of: they may prove a send to a host whose predecessor died before
 * it knew, or come in one read with the server's ack. Told at once they would be acks from before their message.
 */
export class EarlyReceipts {
  /** By message: numbers of the receipts, in the order in which they came. */
  readonly #held = new Map<string, Map<number, NodeJS.Timeout | undefined>>();
  #stopped = false;

  /**
   * @param number in the inbox
   * @param tell called when the message's job does not come
   */
  hold(id: string, number: number, tell: () => void): void {
    const held = this.#held.get(id) ?? new Map<number, NodeJS.Timeout | undefined>();
    this.#held.set(id, held);
    const giveUp = () => {
      held.delete(number);
      if (held.size === 0) this.#held.delete(id);
      tell();
    };
    held.set(number, this.#stopped ? undefined : setTimeout(giveUp, JOB_RETURNS_MS));
  }

  /** The message is told of now. @returns the numbers of its receipts, in the order in which they came */
  take(id: string): readonly number[] {
    const held = this.#held.get(id) ?? new Map<number, NodeJS.Timeout | undefined>();
    this.#held.delete(id);
    for (const timer of held.values()) clearTimeout(timer);
    return [...held.keys()];
  }

  /** Gives up nothing any more: what is held is in the inbox, for the next run. */
  stop(): void {
    this.#stopped = true;
    for (const held of this.#held.values()) for (const timer of held.values()) clearTimeout(timer);
  }
}
