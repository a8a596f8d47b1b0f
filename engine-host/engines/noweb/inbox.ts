import type { StateChange } from '../engine.ts';
import { decodeHappening, encodeHappening, type Happening, isComplete, type ReceivedMessage } from './happening.ts';
import { Heard } from './heard.ts';
import type { InboxShare } from './inbox-budget.ts';
import type { MarkedState } from './marked-state.ts';

const PREFIX = 'inbox/';

/** Takes what has happened, complete and in the state, in the order in which it came. */
export type Deliver = (number: number, happening: Happening) => void;

/** What an arriving message is in the inbox. Redelivered, it is the one of the first time. */
export interface MessageInProgress {
  readonly attrs: Record<string, string>;
  /** Parts of the stanza. */
  readonly of: number;
  /** Whether it is between the account's own devices, as far as its attributes tell. */
  readonly internal: boolean;
  /** See `shortHash`: who sent which message in which chat. */
  readonly identity: Uint8Array;
  number: number | undefined;
}

export interface DecryptedPart {
  readonly hash: Uint8Array;
  readonly plain: Uint8Array;
  /** The plaintext says that the message is between the account's own devices. */
  readonly internal: boolean;
}

/** A ciphertext that came before: its plaintext, or that nothing of it is needed any more. */
export type Known = { readonly kind: 'kept'; readonly plain: Uint8Array; readonly number: number } | { kind: 'gone' };

/**
 * What WhatsApp has told us and the bus does not have yet, in a session's state. It is written in the same record as
 * the ratchet step that made it readable, and deleted when its events are published.
 */
export class Inbox {
  readonly #state: MarkedState;
  readonly #deliver: Deliver;
  readonly #heard: Heard;
  readonly #share: InboxShare;
  readonly #entries = new Map<number, { readonly happening: Happening; readonly bytes: number }>();
  readonly #byHash = new Map<string, { readonly number: number; readonly plain: Uint8Array }>();
  #next = 1;

  constructor(state: MarkedState, deliver: Deliver, share: InboxShare) {
    this.#state = state;
    this.#share = share;
    this.#deliver = deliver;
    this.#heard = new Heard(state);
    const numbers = state.keys(PREFIX).map((key) => Number.parseInt(key.slice(PREFIX.length), 36));
    for (const number of numbers.sort((a, b) => a - b)) {
      const value = state.get(keyOf(number));
      if (value) this.#remember(number, decodeHappening(value), value);
      this.#next = number + 1;
    }
  }

  /** Entries that nobody has taken yet, oldest first. */
  get waiting(): readonly (readonly [number, Happening])[] {
    return Array.from(this.#entries, ([number, { happening }]) => [number, happening]);
  }

  /** Delivers again what an earlier run has left. */
  replay(): void {
    for (const [number, happening] of this.waiting) if (isComplete(happening)) this.#deliver(number, happening);
  }

  known(hash: Uint8Array): Known | undefined {
    const kept = this.#byHash.get(nameOf(hash));
    if (kept) return { kind: 'kept', ...kept };
    return this.#heard.hasCiphertext(hash) ? { kind: 'gone' } : undefined;
  }

  /**
   * Takes a part that was just decrypted. Call `settle` when the changes are in the state.
   * @returns the changes that belong into the record of the ratchet step
   */
  take(message: MessageInProgress, { hash, plain, internal }: DecryptedPart): readonly StateChange[] {
    const entry = this.#extend(message, { hash, plain }, internal);
    const complete = isComplete(entry);
    const again = complete && this.#heard.hasMessage(message.identity);
    const heard = this.#heard.add({ ciphertext: hash, message: complete ? message.identity : undefined });
    if (!again) return [...heard, this.#put(message, entry)];
    // The sender has sent it anew although we had it: its ratchet step counts, its content is known.
    const number = message.number;
    message.number = undefined;
    return number === undefined ? heard : [...heard, this.#remove(number)];
  }

  /** Notes that a part cannot be decrypted, before anybody is told. */
  miss(message: MessageInProgress, hash: Uint8Array): void {
    const entry = this.#extend(message, { hash, plain: null }, false);
    this.#state.append([this.#put(message, entry)]);
    this.settle(message);
  }

  /** The message's record is in the state: what is complete is delivered. */
  settle({ number }: MessageInProgress): void {
    const happening = number === undefined ? undefined : this.#entries.get(number)?.happening;
    if (number !== undefined && happening && isComplete(happening)) this.#deliver(number, happening);
  }

  /**
   * Notes something that is complete as it comes.
   * @param alongside what belongs into the same record
   * @param early numbers of what was noted before it and has to be told after it: delivered behind it, as new entries, in
   *   the same record, so that a later run has them in this order too
   */
  note(happening: Happening, alongside: readonly StateChange[] = [], early: readonly number[] = []): void {
    const moved = early.map((number) => this.#entries.get(number)?.happening).filter((each) => each !== undefined);
    const taken = [happening, ...moved].map((each) => {
      const number = this.#next;
      this.#next += 1;
      const value = encodeHappening(each);
      this.#remember(number, each, value);
      return { number, happening: each, change: { key: keyOf(number), value } };
    });
    const removed = early.map((number) => this.#remove(number));
    this.#state.append([...alongside, ...taken.map(({ change }) => change), ...removed]);
    for (const { number, happening: each } of taken) this.#deliver(number, each);
  }

  /** Whether it is between the account's own devices. */
  isInternal(number: number): boolean {
    const happening = this.#entries.get(number)?.happening;
    return happening?.kind === 'message' && happening.internal;
  }

  /** All its events are published, or its effect is done. */
  clear(number: number): void {
    if (this.#entries.has(number)) this.#state.appendSoon([this.#remove(number)]);
  }

  /** It stays until the next run tries again, and does not wait for the bus. */
  setAside(number: number): void {
    const entry = this.#entries.get(number);
    if (entry === undefined) return;
    this.#share.remove(entry.bytes);
    this.#entries.set(number, { ...entry, bytes: 0 });
  }

  #extend(message: MessageInProgress, part: ReceivedMessage['parts'][number], internal: boolean): ReceivedMessage {
    const { attrs, of } = message;
    const begun = message.number === undefined ? undefined : this.#entries.get(message.number)?.happening;
    const parts = begun?.kind === 'message' ? begun.parts : [];
    const inside = message.internal || internal || (begun?.kind === 'message' && begun.internal);
    return { kind: 'message', attrs, parts: [...parts, part], of, internal: inside };
  }

  #put(message: MessageInProgress, entry: ReceivedMessage): StateChange {
    const number = message.number ?? this.#next;
    if (message.number === undefined) this.#next += 1;
    message.number = number;
    const value = encodeHappening(entry);
    this.#remember(number, entry, value);
    return { key: keyOf(number), value };
  }

  #remember(number: number, happening: Happening, value: Uint8Array): void {
    this.#share.remove(this.#entries.get(number)?.bytes ?? 0);
    this.#entries.set(number, { happening, bytes: this.#share.add(value) });
    for (const { hash, plain } of partsOf(happening)) if (plain) this.#byHash.set(nameOf(hash), { number, plain });
  }

  #remove(number: number): StateChange {
    const entry = this.#entries.get(number);
    this.#entries.delete(number);
    this.#share.remove(entry?.bytes ?? 0);
    for (const { hash } of entry ? partsOf(entry.happening) : []) this.#byHash.delete(nameOf(hash));
    return { key: keyOf(number), value: null };
  }
}

function partsOf(happening: Happening): ReceivedMessage['parts'] {
  return happening.kind === 'message' ? happening.parts : [];
}

function keyOf(number: number): string {
  return `${PREFIX}${number.toString(36)}`;
}

function nameOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('latin1');
}
