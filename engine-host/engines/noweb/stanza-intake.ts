import { type BinaryNode, isJidNewsletter } from '@whiskeysockets/baileys';
import { type Alongside, KeysClosedError } from './auth-keys.ts';
import type { ReceivedMessage } from './happening.ts';
import { shortHash } from './heard.ts';
import type { Inbox, MessageInProgress } from './inbox.ts';
import type { MessageSecrets } from './message-secrets.ts';
import { isInternal, padded, readContent, unpadded } from './rebuild-message.ts';

/** Runs a decryption as one operation on the account's keys, with what belongs into its record. */
export type Operate = (alongside: Alongside<Uint8Array>) => Promise<Uint8Array>;

interface Part {
  readonly message: MessageInProgress;
  readonly author: string;
}

/** Baileys' words for a ciphertext whose key is used up: it tells the server so, and nobody sends anything again. */
const USED_KEY = 'Key used already or never filled';
/** Placeholders that Baileys acknowledges without asking anybody for what they stand for. */
const NEVER_SENT = new Set(['bot_unavailable_fanout', 'hosted_unavailable_fanout', 'view_once_unavailable_fanout']);
/** Not every stanza is reported; a backlog is handled in one queue, so these are far more than can be on their way. */
const MOST_UNREPORTED = 20_000;
const EMPTY = padded(new Uint8Array());

/**
 * Writes arriving messages into the inbox: it knows of every ciphertext which stanza it came in, because Baileys hands
 * the stanza's own bytes to the decryption.
 */
export class StanzaIntake {
  readonly #inbox: Inbox;
  readonly #secrets: Pick<MessageSecrets, 'keep'>;
  readonly #parts = new WeakMap<Uint8Array, Part>();
  readonly #stored = new WeakMap<Uint8Array, { readonly plain: Uint8Array; readonly number: number }>();
  /** Stanzas of this connection that Baileys has not reported as messages yet, by their id; a stanza may come twice. */
  readonly #unreported = new Map<string, MessageInProgress[]>();

  constructor(inbox: Inbox, secrets: Pick<MessageSecrets, 'keep'>) {
    this.#inbox = inbox;
    this.#secrets = secrets;
  }

  /**
   * A new connection: what has come over an older one, and was not reported, is not reported any more. Baileys drops what it
   * has queued when a connection ends; the stanza comes again, or was all that there is to know and is in the inbox.
   */
  startOver(): void {
    this.#unreported.clear();
  }

  /** Looks at a message stanza before Baileys does. */
  arrived({ attrs, content }: BinaryNode): void {
    const children = Array.isArray(content) ? content : [];
    const encrypted = children.filter(({ tag }) => tag === 'enc').flatMap(bytesOf);
    const message = inProgress(attrs, encrypted.length);
    this.#expectReport(message);
    if (encrypted.length > 0) {
      const author = attrs.participant ?? attrs.from ?? '';
      for (const bytes of encrypted) this.#parts.set(bytes, { message, author });
      return;
    }
    const clear = children.filter(({ tag }) => tag === 'plaintext').flatMap(bytesOf);
    if (clear.length > 0) {
      const parts = clear.map((plain) => ({ hash: new Uint8Array(), plain }));
      this.#inbox.note({ kind: 'message', attrs: message.attrs, parts, of: parts.length, internal: false });
    } else if (isAnnounced(children) && attrs.category !== 'peer' && !isJidNewsletter(attrs.from)) {
      this.#inbox.note({ kind: 'message', attrs: message.attrs, parts: [], of: 0, internal: false });
    }
  }

  /**
   * Decrypts a part of a stanza, once: the ratchet step, the plaintext and what the stanza says become one record. What
   * came before is answered from there, or with a message without content where that is no longer needed.
   * @throws Error what the decryption throws, after it is in the inbox as a message that is waited for
   */
  async decrypt(ciphertext: Uint8Array, operate: Operate): Promise<Uint8Array> {
    const part = this.#parts.get(ciphertext);
    if (!part) throw new Error('this version of Baileys does not decrypt the bytes of the stanza itself');
    const { message } = part;
    const stored = this.#stored.get(ciphertext);
    if (stored) return this.#again(message, { kind: 'kept', ...stored });
    const hash = shortHash(ciphertext);
    const known = this.#inbox.known(hash);
    if (known) return this.#again(message, known);
    try {
      const result = await operate((result) => {
        const plain = unpadded(result);
        const content = readContent(plain);
        const taken = this.#inbox.take(message, { hash, plain, internal: isInternal(content) });
        return [...taken, ...this.#secrets.keep(message.attrs.id, content, authorsOf(message.attrs))];
      });
      this.#inbox.settle(message);
      return result;
    } catch (error) {
      if (!(error instanceof KeysClosedError) && !(error instanceof Error && error.message === USED_KEY)) {
        this.#inbox.miss(message, hash);
      }
      throw error;
    }
  }

  /** Who wrote the stanza that a ciphertext came in. */
  authorOf(ciphertext: Uint8Array): string | undefined {
    return this.#parts.get(ciphertext)?.author;
  }

  /** A stanza as it arrived, for Baileys to do again what an earlier run may not have finished. */
  restored(number: number, { attrs, parts }: ReceivedMessage): BinaryNode {
    const content = parts.flatMap(({ hash, plain }): BinaryNode[] => {
      if (!plain) return [];
      const stand = Uint8Array.from(hash);
      this.#stored.set(stand, { plain, number });
      return [{ tag: 'enc', attrs: { type: 'msg', v: '2' }, content: stand }];
    });
    return { tag: 'message', attrs: { ...attrs, offline: '0' }, content };
  }

  /**
   * Baileys has handled a message: whether it is one that came as a stanza, and so is in the inbox already.
   * @returns its number in the inbox where it has one
   */
  reported(id: string): { readonly number: number | undefined } | undefined {
    const [message, ...more] = this.#unreported.get(id) ?? [];
    if (more.length > 0) this.#unreported.set(id, more);
    else this.#unreported.delete(id);
    return message;
  }

  #expectReport(message: MessageInProgress): void {
    const { id = '' } = message.attrs;
    this.#unreported.set(id, [...(this.#unreported.get(id) ?? []), message]);
    const [oldest] = this.#unreported.keys();
    if (this.#unreported.size > MOST_UNREPORTED && oldest !== undefined) this.#unreported.delete(oldest);
  }

  #again(message: MessageInProgress, known: NonNullable<ReturnType<Inbox['known']>>): Uint8Array {
    if (known.kind === 'gone') return EMPTY;
    message.number = known.number;
    return padded(known.plain);
  }
}

function inProgress({ offline, ...attrs }: BinaryNode['attrs'], of: number): MessageInProgress {
  const { from = '', participant = '', recipient = '', id = '', category } = attrs;
  const identity = shortHash(from, participant, recipient, id);
  return { attrs, of, internal: category === 'peer', identity, number: undefined };
}

function authorsOf(attrs: MessageInProgress['attrs']): readonly string[] {
  const { from, sender_pn, sender_lid, participant, participant_pn, participant_lid } = attrs;
  const jids = participant ? [participant, participant_pn, participant_lid] : [from, sender_pn, sender_lid];
  return jids.filter((jid) => jid !== undefined);
}

function bytesOf({ content }: BinaryNode): readonly Uint8Array[] {
  return content instanceof Uint8Array ? [content] : [];
}

/** Whether a stanza without content announces one that Baileys will ask the phone for. */
function isAnnounced(children: readonly BinaryNode[]): boolean {
  const unavailable = children.find(({ tag }) => tag === 'unavailable');
  const type = unavailable?.attrs.type ?? '';
  return type !== 'view_once' && !NEVER_SENT.has(type);
}
