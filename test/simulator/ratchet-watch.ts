import { createHash } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { attrText, type BinaryNode, bytes, children } from './wire/binary-node.ts';

const SIGNATURE_BYTES = 64;
const MAC_BYTES = 8;
/** Places in chains that are remembered; whoever uses one again does so soon after a start. */
const KEPT = 100_000;
const NAME_BYTES = 12;

/**
 * Looks at what clients encrypt: a place in a Signal chain stands for one message key, and no key may ever encrypt two
 * different things. A client that has forgotten a step does just that.
 */
export class RatchetWatch {
  readonly #used = new Map<string, string>();

  /** How many ciphertexts of a device's message were made with a key that had made another one. */
  reuses(sender: string, message: BinaryNode): number {
    const listed = children(message, 'participants').flatMap((list) => children(list, 'to'));
    const ciphertexts = [message, ...listed].flatMap((each) => children(each, 'enc'));
    return ciphertexts.filter((enc) => this.#isReuse(sender, enc)).length;
  }

  #isReuse(sender: string, enc: BinaryNode): boolean {
    const body = bytes(enc);
    const place = body && placeOf(attrText(enc, 'type'), body);
    if (place === undefined || body === undefined) return false;
    const key = name(Buffer.from(`${sender} ${place}`));
    const ciphertext = name(body);
    const before = this.#used.get(key);
    if (before !== undefined) return before !== ciphertext;
    this.#used.set(key, ciphertext);
    const oldest = this.#used.keys().next();
    if (this.#used.size > KEPT && !oldest.done) this.#used.delete(oldest.value);
    return false;
  }
}

/** The chain and the place in it, as the ciphertext says in the clear. */
function placeOf(type: string | undefined, body: Buffer): string | undefined {
  switch (type) {
    case 'skmsg': {
      const { id, iteration } = proto.SenderKeyMessage.decode(body.subarray(1, -SIGNATURE_BYTES));
      return `group ${id} ${iteration ?? 0}`;
    }
    case 'pkmsg':
      return placeInSession(proto.PreKeySignalMessage.decode(body.subarray(1)).message);
    case 'msg':
      return placeInSession(body);
    default:
      return undefined;
  }
}

function placeInSession(message: Uint8Array | null | undefined): string | undefined {
  if (!message) return undefined;
  const { ratchetKey, counter } = proto.SignalMessage.decode(message.subarray(1, -MAC_BYTES));
  return ratchetKey ? `${Buffer.from(ratchetKey).toString('base64')} ${counter ?? 0}` : undefined;
}

function name(of: Buffer): string {
  return createHash('sha256').update(of).digest('base64url').slice(0, NAME_BYTES);
}
