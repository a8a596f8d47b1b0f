import type { BinaryNode } from '@whiskeysockets/baileys';

/** What became of a message that was put on the wire. `timestamp` in seconds. */
export type ServerAnswer =
  | { readonly kind: 'ack'; readonly timestamp: number }
  | { readonly kind: 'nack'; readonly code: string }
  /** The connection went before an answer came; the server may or may not have the message. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'timeout' };

/** Waits for the server's answers to messages. A write to the socket proves nothing; an ack or a receipt does. */
export class ServerAcks {
  readonly #waiting = new Map<string, (answer: ServerAnswer) => void>();
  readonly #onTimeout: (inARow: number) => void;
  #timeouts = 0;

  /** @param onTimeout called with the number of messages that got no answer since the server has last answered one */
  constructor(onTimeout: (inARow: number) => void = () => {}) {
    this.#onTimeout = onTimeout;
  }

  /** Call before the message goes on the wire. */
  expect(messageId: string, timeoutMs: number): Promise<ServerAnswer> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#settle(messageId, { kind: 'timeout' });
        this.#timeouts += 1;
        this.#onTimeout(this.#timeouts);
      }, timeoutMs);
      this.#waiting.set(messageId, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  /** The message did not reach the wire; whoever waits gets `lost`. */
  forget(messageId: string): void {
    this.#settle(messageId, { kind: 'lost' });
  }

  /** The connection is gone. */
  lose(): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id, { kind: 'lost' });
  }

  /** The server's answer to a message. */
  answered({ attrs }: BinaryNode): void {
    const { id, error, t } = attrs;
    if (id === undefined) return;
    this.#timeouts = 0;
    this.#settle(id, error ? { kind: 'nack', code: error } : { kind: 'ack', timestamp: secondsOf(t) });
  }

  /** A receipt of any kind for a message of ours proves that the server had it. */
  proven(id: string, timestamp: number): void {
    this.#timeouts = 0;
    this.#settle(id, { kind: 'ack', timestamp });
  }

  #settle(id: string, answer: ServerAnswer): void {
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    resolve?.(answer);
  }
}

/** A stanza's time in seconds; now where it has none. */
export function secondsOf(text: string | undefined): number {
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : Math.floor(Date.now() / 1000);
}
