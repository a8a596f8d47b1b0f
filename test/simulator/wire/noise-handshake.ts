import { proto } from '@whiskeysockets/baileys';
import { generateKeyPair } from './curve25519.ts';
import type { FrameCipher } from './frame-cipher.ts';
import { CONNECTION_HEADER } from './frames.ts';
import { NoiseState } from './noise-state.ts';
import type { ServerIdentity } from './server-identity.ts';
import { WireError } from './wire-error.ts';

const KEY_BYTES = 32;

/** What a finished handshake leaves behind. */
export interface HandshakeResult {
  readonly clientStaticKey: Buffer;
  readonly clientPayload: proto.IClientPayload;
  readonly incoming: FrameCipher;
  readonly outgoing: FrameCipher;
}

/** The server's side of a handshake that waits for the client's last message. */
export interface AnsweredHello {
  readonly serverHello: Buffer;
  /** @throws WireError when the client's last message is malformed or was made with other keys. */
  finish(frame: Buffer): HandshakeResult;
}

/**
 * Answers a client's first handshake message with our static key and certificate. A client that tries to resume (its hello
 * brings a static key and a payload) is told by this answer to fall back, and does so under the protocol name XXfallback.
 * @throws WireError when the message is no client hello.
 */
export function answerClientHello(frame: Buffer, identity: ServerIdentity): AnsweredHello {
  const hello = decodeMessage(frame).clientHello;
  if (!hello) throw new WireError('the first handshake message is not a clientHello');
  const clientEphemeral = field(hello.ephemeral, 'ephemeral', KEY_BYTES);
  const resuming = Boolean(hello.static?.length || hello.payload?.length);
  const ephemeral = generateKeyPair();
  const noise = new NoiseState(`Noise_XX${resuming ? 'fallback' : ''}_25519_AESGCM_SHA256`, CONNECTION_HEADER);
  noise.mixHash(clientEphemeral);
  noise.mixHash(ephemeral.publicKey);
  noise.mixKey(ephemeral.privateKey, clientEphemeral);
  const sealedStatic = noise.encrypt(identity.staticKeyPair.publicKey);
  noise.mixKey(identity.staticKeyPair.privateKey, clientEphemeral);
  const payload = noise.encrypt(identity.certChain);
  const serverHello = { ephemeral: ephemeral.publicKey, static: sealedStatic, payload };
  return {
    serverHello: Buffer.from(proto.HandshakeMessage.encode({ serverHello }).finish()),
    finish(lastFrame) {
      const clientFinish = decodeMessage(lastFrame).clientFinish;
      if (!clientFinish) throw new WireError('the second handshake message is not a clientFinish');
      const clientStaticKey = noise.decrypt(field(clientFinish.static, 'static'));
      noise.mixKey(ephemeral.privateKey, clientStaticKey);
      const clientPayload = decodePayload(noise.decrypt(field(clientFinish.payload, 'payload')));
      const { fromInitiator, fromResponder } = noise.split();
      return { clientStaticKey, clientPayload, incoming: fromInitiator, outgoing: fromResponder };
    },
  };
}

function decodeMessage(frame: Buffer): proto.IHandshakeMessage {
  try {
    return proto.HandshakeMessage.decode(frame);
  } catch (cause) {
    throw new WireError('a handshake message is not valid protobuf', { cause });
  }
}

function decodePayload(bytes: Buffer): proto.IClientPayload {
  try {
    return proto.ClientPayload.decode(bytes);
  } catch (cause) {
    throw new WireError('the ClientPayload is not valid protobuf', { cause });
  }
}

function field(value: Uint8Array | null | undefined, name: string, length?: number): Buffer {
  if (!value?.length) throw new WireError(`a handshake message has no ${name}`);
  if (length !== undefined && value.length !== length) {
    throw new WireError(`${name} of a handshake message has ${value.length} bytes instead of ${length}`);
  }
  return Buffer.from(value);
}
