import {
  ALL_WA_PATCH_NAMES,
  type AuthenticationCreds,
  type BaileysEventMap,
  type BinaryNode,
  DisconnectReason,
  makeWASocket,
  S_WHATSAPP_NET,
  type UserFacingSocketConfig,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { OpenSocket, SocketEvents } from './connection.ts';
import { ConnectionWatch, type WatchFigures, type WatchSettings } from './connection-watch.ts';
import { containRejections } from './contain-rejections.ts';
import type { Disconnect } from './disconnect-policy.ts';
import type { Distrust } from './identity-proof.ts';
import { checkPairing } from './pairing-proof.ts';
import { assertKeysReplaced, forgetMessages, guardPairing, transportOf, withKeyPairs } from './seams.ts';
import { ServerProof, type TrustSettings } from './server-proof.ts';

/** What a socket hands over besides its own life: always at once, never through Baileys' event buffer. */
export interface SocketTaps {
  credsChanged(): void;
  event<E extends keyof BaileysEventMap>(name: E, data: BaileysEventMap[E]): void;
  /** Right after the socket exists, before anything was sent or received. */
  attached(socket: WASocket): void;
  /** The server has sent everything that waited for this account. */
  caughtUp(): void;
  /** Takes a frame that wants to leave, to a server that has proved to be WhatsApp's, or the first, which says nothing. */
  frame(frame: Uint8Array): void;
  /** Frames wait to be let out. */
  isHeldBack(): boolean;
  /** The connection is ended because nothing comes any more. */
  died(figures: WatchFigures): void;
}

const CLOSE_GRACE_MS = 2_000;

/** One Baileys socket with our listeners on it. It lives until it closes once; the next connection is another one. */
export class LiveSocket implements OpenSocket {
  readonly sock: WASocket;
  /** Puts a frame on the wire, past the tap. */
  readonly send: (frame: Uint8Array) => void;
  readonly #events: SocketEvents;
  readonly #terminate: () => void;
  readonly #watch: ConnectionWatch;
  #over = false;

  /** @throws Error when Baileys is not built the way this engine needs it */
  constructor(
    config: UserFacingSocketConfig,
    events: SocketEvents,
    taps: SocketTaps,
    settings: WatchSettings & TrustSettings,
  ) {
    this.#events = events;
    const { made, keyPairs } = withKeyPairs(() => makeWASocket(config));
    this.sock = made;
    assertKeysReplaced(this.sock, config.auth.keys);
    forgetMessages(this.sock);
    containRejections(this.sock.ws, (event, error) => this.#onRejection(event, error));
    const transport = transportOf(this.sock);
    this.send = transport.send;
    this.#terminate = transport.terminate;
    const server = new ServerProof(keyPairs, settings, (distrust) => this.#distrust(distrust));
    transport.divert((frame) => {
      if (server.lets(frame)) taps.frame(frame);
    });
    this.sock.ws.prependListener('frame', (frame: unknown) => {
      if (frame instanceof Uint8Array) server.heard(frame);
    });
    guardPairing(this.sock, (stanza) => this.#admits(stanza, config.auth.creds));
    this.#tapEvents(taps);
    this.#keepOrder();
    this.#watch = this.#startWatch(taps, settings);
    taps.attached(this.sock);
  }

  async close(): Promise<void> {
    this.#over = true;
    this.#watch.stop();
    const closing = this.sock.end(undefined).catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_GRACE_MS);
    });
    await Promise.race([closing, grace]).finally(() => clearTimeout(timer));
    this.#terminate();
  }

  /** Ends the connection at once, with nothing more sent, as if it had been lost: a closing handshake may get no answer. */
  abandon(): void {
    if (this.#over) return;
    this.#terminate();
    this.#closed({ code: DisconnectReason.connectionLost, message: 'abandoned' });
  }

  #distrust({ reason, message }: Distrust): void {
    if (this.#over) return;
    this.#terminate();
    this.#closed({ code: undefined, message, distrust: reason });
  }

  #admits(stanza: BinaryNode, creds: AuthenticationCreds): boolean {
    const proof = checkPairing(stanza, creds);
    if (!proof.proven) void this.#refuse(stanza, proof);
    return proof.proven && !this.#over;
  }

  /** The phone is told where that is possible; nothing depends on it. */
  async #refuse({ attrs: { id = '' } }: BinaryNode, { reason, message }: Distrust): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const content = [{ tag: 'error', attrs: { code: '401', text: 'signature-mismatch' } }];
    const answer = { tag: 'iq', attrs: { to: S_WHATSAPP_NET, type: 'error', id }, content };
    await this.sock.sendNode(answer).catch(() => undefined);
    this.#closed({ code: undefined, message, distrust: reason });
    await this.close();
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
      if (update.connection === 'close') {
        const error = update.lastDisconnect?.error;
        this.#closed({ code: statusCode(error), message: error?.message ?? 'closed' });
      }
    });
  }

  /** A frame that cannot be read leaves the stream out of step: only a new connection helps. */
  #onRejection(event: string | symbol, error: unknown): void {
    if (event !== 'message' || this.#over) return;
    void this.sock.end(error instanceof Error ? error : new Error('a frame could not be read'));
  }

  #closed(disconnect: Disconnect): void {
    this.#over = true;
    this.#watch.stop();
    this.#events.closed(disconnect);
  }

  #startWatch(taps: SocketTaps, settings: WatchSettings): ConnectionWatch {
    const watch = new ConnectionWatch(
      {
        ping: () => this.#ping(),
        isHeldBack: () => taps.isHeldBack(),
        dead: (figures) => {
          taps.died(figures);
          this.abandon();
        },
      },
      settings,
    );
    this.sock.ws.on('frame', (frame: unknown) => watch.heard(!(frame instanceof Uint8Array)));
    return watch;
  }

  #ping(): Promise<unknown> {
    return this.sock.query({
      tag: 'iq',
      attrs: { to: S_WHATSAPP_NET, type: 'get', xmlns: 'w:p' },
      content: [{ tag: 'ping', attrs: {} }],
    });
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
