import { WaitableLog } from './inbox.ts';

/**
 * What linked clients did and what was done to them, as `GET /admin/client-log` shows it. The questions that only
 * the server can answer: what was it told is received, who was logged in when, what did a phone get again.
 */
export type ClientHappening =
  /** A login has taken its stanzas: it is live. */
  | { readonly kind: 'active'; readonly phone: string; readonly device: number }
  | { readonly kind: 'closed'; readonly phone: string; readonly device: number }
  /** A login pushed out a connection that was open and had last been heard of `silentMs` ago. */
  | { readonly kind: 'replaced'; readonly phone: string; readonly device: number; readonly silentMs: number }
  /** A stanza from a connection that had been pushed out. */
  | { readonly kind: 'late'; readonly phone: string; readonly device: number; readonly tag: string }
  /** The client took responsibility for a message. `first` and `last`: places on the wire, over all deliveries. */
  | {
      readonly kind: 'taken';
      readonly phone: string;
      readonly device: number;
      readonly id: string;
      readonly how: 'receipt' | 'retry' | 'ack' | 'refusal';
      readonly first: number;
      readonly last: number;
    }
  /** A fault swallowed a message for good. */
  | { readonly kind: 'dropped'; readonly phone: string; readonly device: number; readonly id: string }
  /** A client encrypted a part of a message with a key that had encrypted something else. */
  | { readonly kind: 'reuse'; readonly phone: string; readonly device: number; readonly id: string }
  /** A phone could not decrypt a message and asks for it again. */
  | { readonly kind: 'asked'; readonly phone: string; readonly id: string }
  /**
   * A phone decrypted a message whose id it had already seen; `asked` when some phone had asked for it again, `proven`
   * when the client that sent it again had a receipt for it in its backlog, or an earlier one had been given it.
   */
  | {
      readonly kind: 'repeat';
      readonly phone: string;
      readonly id: string;
      readonly asked: boolean;
      readonly proven: boolean;
    };

/** `at` is milliseconds since 1970; `n` counts from 1 within a run. */
export type ClientLogEntry = ClientHappening & { readonly n: number; readonly at: number };

/** How many ids are remembered that were asked for again, or of which there is a receipt. */
const KEPT = 5000;

export class ClientLog {
  readonly #entries = new WaitableLog<ClientLogEntry>();
  readonly #asked = new Set<string>();
  /** By message: the place of its first receipt. */
  readonly #receipts = new Map<string, number>();
  readonly #proven = new Set<string>();
  #places = 0;

  note(happening: ClientHappening): void {
    this.#entries.append((n) => ({ n, at: Date.now(), ...happening }));
  }

  next(since: number, waitMs: number): Promise<readonly ClientLogEntry[]> {
    return this.#entries.next(since, waitMs);
  }

  /** The next place on the wire, over all clients. */
  place(): number {
    this.#places += 1;
    return this.#places;
  }

  /** A phone asks for a message again. */
  asks(phone: string, id: string): void {
    this.note({ kind: 'asked', phone, id });
    this.#asked.add(id);
    forgetOldest(this.#asked);
  }

  /** A client is given a receipt for a message. */
  givesReceipt(id: string, place: number): void {
    if (this.#receipts.has(id)) return;
    this.#receipts.set(id, place);
    forgetOldest(this.#receipts);
  }

  /** A client that is live since that place sends a message. */
  takes(id: string, activeFrom: number): void {
    if ((this.#receipts.get(id) ?? Number.POSITIVE_INFINITY) >= activeFrom) return;
    this.#proven.add(id);
    forgetOldest(this.#proven);
  }

  wasProven(id: string): boolean {
    return this.#proven.has(id);
  }

  wasAsked(id: string): boolean {
    return this.#asked.has(id);
  }
}

function forgetOldest(ids: Set<string> | Map<string, number>): void {
  const oldest = ids.keys().next();
  if (ids.size > KEPT && !oldest.done) ids.delete(oldest.value);
}
