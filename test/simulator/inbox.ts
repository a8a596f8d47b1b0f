import type { proto } from '@whiskeysockets/baileys';
import type { Described } from './message-content.ts';
import type { Jid } from './wire/jid.ts';

/** One decrypted message as `GET /admin/contacts/{phone}/inbox` shows it. Times are Unix seconds, `receivedAt` is ms. */
export interface InboxEntry extends Described {
  /** Counts from 1 within this phone. */
  readonly n: number;
  readonly id: string;
  readonly from: string;
  readonly fromLid: string;
  readonly fromDevice: number;
  readonly fromMe: boolean;
  /** The chat's JID; for 1:1 chats the sender's, for groups the group's. */
  readonly chat: string;
  readonly timestamp: number;
  readonly receivedAt: number;
}

/** An inbox entry with what is needed to answer it. */
export interface Received {
  readonly n: number;
  readonly entry: InboxEntry;
  readonly message: proto.IMessage;
  readonly chat: Jid;
  readonly author: Jid;
}

/** Receipts and typing a phone has seen, as `GET /admin/contacts/{phone}/events` shows them. */
export interface ChatEvent {
  readonly n: number;
  readonly kind: 'receipt' | 'typing';
  readonly from: string;
  readonly chat: string;
  /** For receipts delivered, read, played; for typing composing, recording, paused. */
  readonly state: string;
  readonly ids: readonly string[];
  readonly at: number;
}

/** Entries kept per phone; older ones are forgotten so that long runs do not grow. */
const KEPT = 5000;

/** An append-only list that can be waited on. */
export class WaitableLog<T extends { readonly n: number }> {
  #entries: T[] = [];
  #waiting: (() => void)[] = [];
  #next = 1;

  append(make: (n: number) => T): T {
    const entry = make(this.#next);
    this.#next += 1;
    this.#entries.push(entry);
    if (this.#entries.length > 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
    for (const wake of this.#waiting.splice(0)) wake();
    return entry;
  }

  since(n: number): readonly T[] {
    const first = this.#entries[0]?.n ?? this.#next;
    return this.#entries.slice(Math.max(0, n + 1 - first));
  }

  /** What came after entry `n`; waits up to `waitMs` for the first of it. */
  async next(n: number, waitMs: number): Promise<readonly T[]> {
    const ready = this.since(n);
    if (ready.length > 0 || waitMs <= 0) return ready;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    return this.since(n);
  }
}
