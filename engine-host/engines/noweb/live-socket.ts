import {
  ALL_WA_PATCH_NAMES,
  type BaileysEventMap,
  type BinaryNode,
  makeWASocket,
  type UserFacingSocketConfig,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { OpenSocket, SocketEvents } from './connection.ts';
import { containRejections } from './contain-rejections.ts';
import { assertKeysReplaced, transportOf } from './seams.ts';

/** What a socket hands over besides its own life: always at once, never through Baileys' event buffer. */
export interface SocketTaps {
  credsChanged(): void;
  event<E extends keyof BaileysEventMap>(name: E, data: BaileysEventMap[E]): void;
  /** Right after the socket exists, before anything was sent or received. */
  attached(socket: WASocket): void;
  /** The server has sent everything that waited for this account. */
  caughtUp(): void;
  /** Takes a frame that wants to leave. */
  frame(frame: Uint8Array): void;
}

const CLOSE_GRACE_MS = 2_000;

/** One Baileys socket with our listeners on it. It lives until it closes once; the next connection is another one. */
export class LiveSocket implements OpenSocket {
  readonly sock: WASocket;
  /** Puts a frame on the wire, past the tap. */
  readonly send: (frame: Uint8Array) => void;
  readonly #events: SocketEvents;
  readonly #terminate: () => void;
  #over = false;

  /** @throws Error when Baileys is not built the way this engine needs it */
  constructor(config: UserFacingSocketConfig, events: SocketEvents, taps: SocketTaps) {
    this.#events = events;
    this.sock = makeWASocket(config);
    assertKeysReplaced(this.sock, config.auth.keys);
    containRejections(this.sock.ws, (event, error) => this.#onRejection(event, error));
    const transport = transportOf(this.sock);
    this.send = transport.send;
    this.#terminate = transport.terminate;
    transport.divert((frame) => taps.frame(frame));
    this.#tapEvents(taps);
    this.#keepOrder();
    taps.attached(this.sock);
  }

  async close(): Promise<void> {
    this.#over = true;
    const closing = this.sock.end(undefined).catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_GRACE_MS);
    });
    await Promise.race([closing, grace]).finally(() => clearTimeout(timer));
    this.#terminate();
  }

  /** Ends the connection at once, with nothing more sent, as if it had been lost. */
  abandon(): void {
    this.#terminate();
  }

  /**
   * Baileys holds events back in a buffer, folds some into others, and drops the buffer when the connection goes although
   * the server has been told that they arrived. So they are taken where they enter it.
   */
  #tapEvents(taps: SocketTaps): void {
    const { ev } = this.sock;
    const emit = ev.emit.bind(ev);
    ev.emit = (name, data) => {
      if (!this.#over) taps.event(name, data);
      return emit(name, data);
    };
    ev.on('creds.update', (update) => {
      taps.credsChanged();
      if (this.#over) return;
      if (update.me) this.#events.identified();
      if (update.myAppStateKeyId && this.sock.authState.creds.accountSyncCounter === 0) this.#syncAppState();
    });
    ev.on('connection.update', (update) => {
      if (this.#over) return;
      if (update.qr) this.#events.qr(update.qr);
      if (update.receivedPendingNotifications) taps.caughtUp();
      if (update.connection === 'open') this.#events.opened();
      if (update.connection === 'close') this.#closed(update.lastDisconnect?.error);
    });
  }

  /** A frame that cannot be read leaves the stream out of step: only a new connection helps. */
  #onRejection(event: string | symbol, error: unknown): void {
    if (event !== 'message' || this.#over) return;
    void this.sock.end(error instanceof Error ? error : new Error('a frame could not be read'));
  }

  #closed(error: Error | undefined): void {
    this.#over = true;
    this.#events.closed({ code: statusCode(error), message: error?.message ?? 'closed' });
  }

  /** Live messages would overtake the backlog of the time offline; marked as backlog they all take one queue. */
  #keepOrder(): void {
    this.sock.ws.prependListener('CB:message', (stanza: BinaryNode) => {
      stanza.attrs.offline ??= '0';
    });
  }

  /** The first synchronisation after pairing (own name, contacts), which Baileys ties to the history we do not take. */
  #syncAppState(): void {
    this.sock.resyncAppState(ALL_WA_PATCH_NAMES, true).then(
      () => this.sock.ev.emit('creds.update', { accountSyncCounter: 1 }),
      () => undefined,
    );
  }
}

function statusCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('output' in error)) return undefined;
  const { output } = error;
  if (typeof output !== 'object' || output === null || !('statusCode' in output)) return undefined;
  return typeof output.statusCode === 'number' ? output.statusCode : undefined;
}
