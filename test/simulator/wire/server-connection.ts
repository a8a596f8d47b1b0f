import type { proto } from '@whiskeysockets/baileys';
import type { RawData, WebSocket } from 'ws';
import type { BinaryNode } from './binary-node.ts';
import { decodeNode, encodeNode } from './codec.ts';
import { ClientFrames, encodeFrame } from './frames.ts';
import { type AnsweredHello, answerClientHello, type HandshakeResult } from './noise-handshake.ts';
import type { ServerIdentity } from './server-identity.ts';
import { WireError } from './wire-error.ts';

const HANDSHAKE_TIMEOUT_MS = 20_000;
const PROTOCOL_ERROR = 1002;

/** One client whose handshake is done. */
export interface WireConnection {
  /** What the client said about itself: registration data, or the account it wants to log in as. */
  readonly clientPayload: proto.IClientPayload;
  /** The client's Noise key, 32 bytes, proved by the handshake. */
  readonly clientStaticKey: Buffer;
  /** The routing info of an earlier connection that the client brought along, if any. */
  readonly routingInfo: Buffer | undefined;
  readonly closed: boolean;
  /**
   * Encrypts and sends a node. Does nothing once the connection is closed.
   * @throws WireError when the node cannot be encoded.
   */
  send(node: BinaryNode): void;
  /** Closes the websocket cleanly, after what was sent. */
  close(): void;
  /** Cuts the TCP connection. */
  terminate(): void;
  /**
   * Hears every node in order; those that came before the first listener are kept for it. A WireError that a listener throws
   * is a fault of the client and closes the connection.
   */
  onNode(listener: (node: BinaryNode) => void): void;
  /** Hears once that the connection is over, even when it already is; `fault` is set when the client broke the protocol. */
  onClose(listener: (fault?: WireError) => void): void;
}

/**
 * Runs the handshake on a websocket that was just accepted. Must be called before the socket's first message event.
 * @throws WireError (as a rejection, after closing the socket) when the client breaks the protocol, leaves, or takes more
 * than `handshakeTimeoutMs` (20 seconds).
 */
export function acceptConnection(
  socket: WebSocket,
  identity: ServerIdentity,
  handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS,
): Promise<WireConnection> {
  return new Promise((resolve, reject) => {
    const frames = new ClientFrames();
    let hello: AnsweredHello | undefined;
    let connection: NoiseConnection | undefined;
    let fault: WireError | undefined;

    const fail = (error: WireError) => {
      if (fault) return;
      fault = error;
      socket.close(PROTOCOL_ERROR);
      reject(error);
    };
    const timer = setTimeout(() => fail(new WireError('the handshake took too long')), handshakeTimeoutMs);

    const takeFrame = (frame: Buffer) => {
      if (connection) connection.receive(frame);
      else if (hello) {
        connection = new NoiseConnection(socket, hello.finish(frame), frames.routingInfo);
        clearTimeout(timer);
        resolve(connection);
      } else {
        hello = answerClientHello(frame, identity);
        socket.send(encodeFrame(hello.serverHello));
      }
    };

    socket.on('message', (data, isBinary) => {
      if (fault) return;
      try {
        if (!isBinary) throw new WireError('a websocket message is text');
        for (const frame of frames.push(toBuffer(data))) takeFrame(frame);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        fail(error);
      }
    });
    socket.on('error', (cause) => fail(new WireError('the websocket failed', { cause })));
    socket.on('close', () => {
      clearTimeout(timer);
      reject(new WireError('the client left during the handshake'));
      connection?.ended(fault);
    });
  });
}

class NoiseConnection implements WireConnection {
  readonly clientPayload: proto.IClientPayload;
  readonly clientStaticKey: Buffer;
  readonly routingInfo: Buffer | undefined;
  readonly #socket: WebSocket;
  readonly #handshake: HandshakeResult;
  readonly #nodeListeners: ((node: BinaryNode) => void)[] = [];
  readonly #closeListeners: ((fault?: WireError) => void)[] = [];
  readonly #early: BinaryNode[] = [];
  #end: { readonly fault: WireError | undefined } | undefined;

  constructor(socket: WebSocket, handshake: HandshakeResult, routingInfo: Buffer | undefined) {
    this.#socket = socket;
    this.#handshake = handshake;
    this.clientPayload = handshake.clientPayload;
    this.clientStaticKey = handshake.clientStaticKey;
    this.routingInfo = routingInfo;
  }

  get closed(): boolean {
    return this.#end !== undefined || this.#socket.readyState !== this.#socket.OPEN;
  }

  send(node: BinaryNode): void {
    if (this.closed) return;
    this.#socket.send(encodeFrame(this.#handshake.outgoing.encrypt(encodeNode(node))));
  }

  close(): void {
    this.#socket.close();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  onNode(listener: (node: BinaryNode) => void): void {
    this.#nodeListeners.push(listener);
    for (const node of this.#early.splice(0)) listener(node);
  }

  onClose(listener: (fault?: WireError) => void): void {
    if (this.#end) listener(this.#end.fault);
    else this.#closeListeners.push(listener);
  }

  receive(frame: Buffer): void {
    const node = decodeNode(this.#handshake.incoming.decrypt(frame));
    if (this.#nodeListeners.length === 0) this.#early.push(node);
    for (const listener of this.#nodeListeners) listener(node);
  }

  ended(fault: WireError | undefined): void {
    this.#end = { fault };
    for (const listener of this.#closeListeners) listener(fault);
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
