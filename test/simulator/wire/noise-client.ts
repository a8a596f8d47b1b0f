import { once } from 'node:events';
import { proto } from '@whiskeysockets/baileys';
import type { WebSocket } from 'ws';
import type { BinaryNode } from './binary-node.ts';
import { decodeNode, encodeNode } from './codec.ts';
import { generateKeyPair, type KeyPair } from './curve25519.ts';
import type { FrameCipher } from './frame-cipher.ts';
import { ClientFrames, CONNECTION_HEADER, encodeFrame } from './frames.ts';
import { NoiseState } from './noise-state.ts';
import { WireError } from './wire-error.ts';

/** A client of the simulator that can also break the rules; it speaks frames, not WhatsApp. */
export interface NoiseClient {
  readonly staticKeys: KeyPair;
  readonly serverStaticKey: Buffer;
  readonly serverCertChain: Buffer;
  /** The client's last handshake message as a frame; nothing works before it is sent. */
  readonly clientFinish: Buffer;
  /** The frame of a node, encrypted; frames must be sent in the order in which they were sealed. */
  seal(node: BinaryNode): Buffer;
  /** The same for bytes that need not be a node. */
  sealBytes(plaintext: Buffer): Buffer;
  /** The next node from the server. */
  nextNode(): Promise<BinaryNode>;
}

export interface NoiseClientOptions {
  readonly payload?: proto.IClientPayload;
  /** Sent before the connection header. */
  readonly routingInfo?: Buffer;
  /** Pretends to know the server's key, so the hello brings a static key and a payload. */
  readonly resume?: boolean;
  /** How bytes go out; by default one message for each piece. */
  readonly write?: (bytes: Buffer) => void;
}

/** Connects an open websocket up to the server's hello. */
export async function greetServer(socket: WebSocket, options: NoiseClientOptions = {}): Promise<NoiseClient> {
  const { payload = {}, routingInfo, resume = false, write = (bytes: Buffer) => socket.send(bytes) } = options;
  const nextFrame = frameReader(socket);
  const ephemeral = generateKeyPair();
  const staticKeys = generateKeyPair();
  const guess = resume ? { static: Buffer.alloc(48, 1), payload: Buffer.alloc(48, 1) } : {};
  const hello = proto.HandshakeMessage.encode({ clientHello: { ephemeral: ephemeral.publicKey, ...guess } }).finish();
  const routing = routingInfo ? [Buffer.from([0x45, 0x44, 0, 1]), encodeFrame(routingInfo)] : [];
  write(Buffer.concat([...routing, CONNECTION_HEADER, encodeFrame(Buffer.from(hello))]));

  const { serverHello } = proto.HandshakeMessage.decode(await nextFrame());
  const serverEphemeral = toBuffer(serverHello?.ephemeral);
  const noise = new NoiseState(`Noise_XX${resume ? 'fallback' : ''}_25519_AESGCM_SHA256`, CONNECTION_HEADER);
  noise.mixHash(ephemeral.publicKey);
  noise.mixHash(serverEphemeral);
  noise.mixKey(ephemeral.privateKey, serverEphemeral);
  const serverStaticKey = noise.decrypt(toBuffer(serverHello?.static));
  noise.mixKey(ephemeral.privateKey, serverStaticKey);
  const serverCertChain = noise.decrypt(toBuffer(serverHello?.payload));
  const sealedStatic = noise.encrypt(staticKeys.publicKey);
  noise.mixKey(staticKeys.privateKey, serverEphemeral);
  const sealedPayload = noise.encrypt(Buffer.from(proto.ClientPayload.encode(payload).finish()));
  const clientFinish = { static: sealedStatic, payload: sealedPayload };
  const { fromInitiator, fromResponder } = noise.split();
  return {
    staticKeys,
    serverStaticKey,
    serverCertChain,
    clientFinish: encodeFrame(Buffer.from(proto.HandshakeMessage.encode({ clientFinish }).finish())),
    seal: (node) => sealed(fromInitiator, encodeNode(node)),
    sealBytes: (plaintext) => sealed(fromInitiator, plaintext),
    nextNode: async () => decodeNode(fromResponder.decrypt(await nextFrame())),
  };
}

function sealed(cipher: FrameCipher, plaintext: Buffer): Buffer {
  return encodeFrame(cipher.encrypt(plaintext));
}

function frameReader(socket: WebSocket): () => Promise<Buffer> {
  const frames = new ClientFrames();
  const ready = [...frames.push(CONNECTION_HEADER)];
  socket.on('message', (data) => {
    if (Buffer.isBuffer(data)) ready.push(...frames.push(data));
  });
  return async () => {
    for (;;) {
      const frame = ready.shift();
      if (frame) return frame;
      if (socket.readyState !== socket.OPEN) throw new WireError('the server closed the connection');
      const waiting = new AbortController();
      const { signal } = waiting;
      await Promise.race([once(socket, 'message', { signal }), once(socket, 'close', { signal })]);
      waiting.abort();
    }
  };
}

function toBuffer(field: Uint8Array | null | undefined): Buffer {
  if (!field) throw new WireError('the server hello is incomplete');
  return Buffer.from(field);
}
