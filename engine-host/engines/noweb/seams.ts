import type { EventEmitter } from 'node:events';
import { type BinaryNode, Curve, decryptMessageNode, type KeyPair, type WASocket } from '@whiskeysockets/baileys';
import { quietLogger } from './quiet-logger.ts';

/** The places in Baileys that are not its public interface and that this engine stands on. */
export interface Transport {
  /** Writes to the websocket itself. */
  send(frame: Uint8Array): void;
  terminate(): void;
  /** From now on Baileys' frames go to `take`; Baileys is told at once that they are written. */
  divert(take: (frame: Uint8Array) => void): void;
}

interface RawSocket {
  send(data: Uint8Array, done?: (error?: Error) => void): void;
  terminate(): void;
}

/**
 * Finds the websocket under a Baileys socket that was just made.
 * @throws Error when this Baileys is built differently: nothing may be sent then, since frames could not be held back
 */
export function transportOf(socket: WASocket): Transport {
  const raw: unknown = Reflect.get(socket.ws, 'socket');
  if (!isRawSocket(raw)) throw new Error('this version of Baileys has no ws.socket.send: frames cannot be held back');
  if (typeof socket.ws.prependListener !== 'function') throw new Error('this version of Baileys has no ws emitter');
  if (typeof socket.ev.emit !== 'function') throw new Error('this version of Baileys has no ev.emit');
  const send = raw.send.bind(raw);
  return {
    send: (frame) => send(frame, () => undefined),
    terminate: () => raw.terminate(),
    divert: (take) => {
      raw.send = (data: Uint8Array, done?: (error?: Error) => void) => {
        take(data);
        done?.();
      };
    },
  };
}

function isRawSocket(value: unknown): value is RawSocket {
  return (
    typeof value === 'object' &&
    value !== null &&
    'send' in value &&
    typeof value.send === 'function' &&
    'terminate' in value &&
    typeof value.terminate === 'function'
  );
}

/**
 * Runs `make`, which makes a Baileys socket, and notes the key pairs that are generated in it. One of them is the
 * connection's ephemeral one, with which its handshake can be read.
 * @throws Error when there is none: what the server says about itself could not be checked then
 */
export function withKeyPairs<T>(make: () => T): { readonly made: T; readonly keyPairs: readonly KeyPair[] } {
  const { generateKeyPair } = Curve;
  const keyPairs: KeyPair[] = [];
  Curve.generateKeyPair = () => {
    const pair = generateKeyPair();
    keyPairs.push(pair);
    return pair;
  };
  try {
    const made = make();
    if (keyPairs.length === 0) throw new Error('this version of Baileys makes its ephemeral key elsewhere');
    return { made, keyPairs };
  } finally {
    Curve.generateKeyPair = generateKeyPair;
  }
}

const PAIR_SUCCESS = 'CB:iq,,pair-success';

/**
 * Lets Baileys have the end of a pairing only if `admits` says so.
 * @throws Error when Baileys does not listen for it where it did
 */
export function guardPairing({ ws }: { readonly ws: EventEmitter }, admits: (stanza: BinaryNode) => boolean): void {
  const listeners = ws.rawListeners(PAIR_SUCCESS);
  if (listeners.length === 0) throw new Error('this version of Baileys hears of pairings elsewhere');
  ws.removeAllListeners(PAIR_SUCCESS);
  ws.on(PAIR_SUCCESS, (stanza: BinaryNode) => {
    if (admits(stanza)) for (const listener of listeners) Reflect.apply(listener, ws, [stanza]);
  });
}

interface RemembersMessages {
  readonly messageRetryManager: Partial<
    Pick<NonNullable<WASocket['messageRetryManager']>, 'addRecentMessage' | 'getRecentMessage'>
  > | null;
}

/**
 * Has Baileys ask for whatever it is to send again. Of late messages it has a memory of its own, in which those of others
 * are too: asked for in a group, they would go out as ours. What else it keeps of retries it needs.
 * @throws Error when it has none, or another
 */
export function forgetMessages({ messageRetryManager: memory }: RemembersMessages): void {
  if (typeof memory?.addRecentMessage !== 'function' || typeof memory.getRecentMessage !== 'function') {
    throw new Error('this version of Baileys remembers messages elsewhere');
  }
  memory.addRecentMessage = () => undefined;
  memory.getRecentMessage = () => undefined;
}

/** @throws Error unless Baileys works on our key store: the repository factory must have been given its object */
export function assertKeysReplaced(socket: WASocket, ours: object): void {
  const keys: object = socket.authState.keys;
  if (!Object.entries(ours).every(([method, implementation]) => Reflect.get(keys, method) === implementation)) {
    throw new Error('this version of Baileys does not share its key store with the Signal repository');
  }
}

/**
 * Checks that Baileys decrypts the very bytes of the stanza: by them the inbox knows what a plaintext belongs to.
 * @throws Error otherwise: messages would be acknowledged that are kept nowhere
 */
export async function assertStanzaBytes(): Promise<void> {
  const content = Uint8Array.of(1);
  const seen: unknown[] = [];
  // Only what is called on the way to a decryption; the type wants a whole repository.
  const repository = {
    lidMapping: { getLIDForPN: async () => null },
    decryptMessage: async ({ ciphertext }: { readonly ciphertext: Uint8Array }) => {
      seen.push(ciphertext);
      return Uint8Array.of(1);
    },
  } as unknown as WASocket['signalRepository'];
  const attrs = { id: 'A', from: '10000000001@s.whatsapp.net', t: '1' };
  const stanza = { tag: 'message', attrs, content: [{ tag: 'enc', attrs: { type: 'msg' }, content }] };
  await decryptMessageNode(stanza, '10000000002@s.whatsapp.net', '', repository, quietLogger).decrypt();
  if (seen.length !== 1 || seen[0] !== content) {
    throw new Error('this version of Baileys does not decrypt the bytes of the stanza itself');
  }
}
