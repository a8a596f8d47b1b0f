import {
  type AuthenticationCreds,
  type BaileysEventMap,
  jidNormalizedUser,
  proto,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { CommandHandlers, Engine, EngineContext, EngineEvent, EngineState } from '../engine.ts';
import { forgetLogin, hasLoggedIn, loadCreds, markLoggedIn, saveCreds } from './auth-creds.ts';
import { AuthKeys } from './auth-keys.ts';
import { Connection, type OpenSocket, type SocketEvents } from './connection.ts';
import { ExpiringCache } from './expiring-cache.ts';
import { GroupCache } from './group-cache.ts';
import { createHandlers } from './handlers/create-handlers.ts';
import type { LiveAccount } from './handlers/handler-context.ts';
import { jidToChatId } from './ids.ts';
import { Inbound } from './inbound.ts';
import { LiveSocket } from './live-socket.ts';
import { meOf } from './me.ts';
import { storeIncomingMedia } from './media-in.ts';
import type { NowebSettings } from './options.ts';
import { OutputGate } from './output-gate.ts';
import { toPresence } from './presence.ts';
import { toAck, toGroupAck } from './receipts.ts';
import { RecentSends } from './recent-sends.ts';
import { Sender } from './sender.ts';
import { ServerAcks } from './server-acks.ts';
import { socketConfig } from './socket-config.ts';
import { unlink } from './unlink.ts';

const MINUTE = 60_000;
/** How long a command waits for a dropped connection to come back. */
const MEND_MS = 3_000;

/** One session's Baileys, from start to stop. */
export class NowebEngine implements Engine {
  readonly handlers: CommandHandlers;
  readonly #context: EngineContext;
  readonly #settings: NowebSettings;
  readonly #connection: Connection;
  readonly #acks = new ServerAcks();
  readonly #recent = new RecentSends();
  readonly #inbound: Inbound;
  readonly #groups = new GroupCache((jid) => this.#requireSocket().groupMetadata(jid));
  readonly #devices = new ExpiringCache(256, 60 * MINUTE);
  readonly #retries = new ExpiringCache(256, 60 * MINUTE);
  readonly #calls = new ExpiringCache(16, 5 * MINUTE);
  readonly #placeholders = new ExpiringCache(64, 60 * MINUTE);
  #creds: AuthenticationCreds | undefined;
  #keys: AuthKeys | undefined;
  #live: LiveSocket | undefined;
  #gate: OutputGate | undefined;
  #stopping: Promise<void> | undefined;
  /** Nothing is reported, emitted or changed any more. */
  #stopped = false;
  /** A logout is under way: that the server ends the connection is no news. */
  #leaving = false;

  constructor(context: EngineContext, settings: NowebSettings) {
    this.#context = context;
    this.#settings = settings;
    this.#connection = new Connection(
      {
        connect: (events) => this.#connect(events),
        me: () => (this.#creds ? meOf(this.#creds) : undefined),
        hasLoggedIn: () => hasLoggedIn(context.state),
        markLoggedIn: () => markLoggedIn(context.state),
        forgetLogin: () => this.#forgetLogin(),
        assertOwned: () => context.assertOwned(),
        report: (state) => this.#report(state),
        now: () => context.clock.now(),
      },
      settings,
    );
    this.#inbound = new Inbound({
      me: () => jidToChatId(this.#creds?.me?.id),
      lookUpPhone: (lid) => this.#lookUpPhone(lid),
      storeMedia: async (messageId, { media }, source) => {
        if (!media) return null;
        const named = { mimetype: media.mimetype, filename: media.filename };
        if (source === 'api') return { url: null, ...named, s3: null, error: null };
        const limits = { maxBytes: settings.mediaMaxBytes, timeoutMs: settings.mediaTimeoutMs };
        return storeIncomingMedia(context.session, messageId, media, context.media, limits);
      },
      emit: (event) => this.#emit(event),
      logger: context.logger,
    });
    const mended = async (): Promise<LiveAccount | undefined> => {
      await this.#connection.mended(MEND_MS);
      return this.#working();
    };
    const sender = new Sender({
      context,
      acks: this.#acks,
      recent: this.#recent,
      ackTimeoutMs: settings.ackTimeoutMs,
      mended,
      sent: (message) => void this.#inbound.accept(message, 'api'),
    });
    this.handlers = createHandlers({
      context,
      sender,
      mended,
      current: () => (this.#live ? { sock: this.#live.sock, phase: this.#connection.phase } : undefined),
    });
  }

  start(): void {
    this.#connection.start();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#gate?.close();
    this.#keys?.close();
    this.#acks.lose();
    await this.#connection.stop();
    // What the server has been told we have must still become events, downloads included.
    await this.#inbound.idle();
    this.#stopped = true;
    this.#live = undefined;
  }

  async logout(): Promise<void> {
    const working = this.#working();
    this.#leaving = true;
    if (working) {
      try {
        this.#context.assertOwned();
        await unlink(working.sock);
      } catch (error) {
        this.#context.logger.warn({ err: error }, 'the device could not be unlinked');
      }
    }
    await this.stop();
  }

  #connect(events: SocketEvents): OpenSocket {
    const { state } = this.#context;
    const creds = loadCreds(state);
    const keys = new AuthKeys(state);
    this.#keys?.close();
    this.#gate?.close();
    this.#creds = creds;
    this.#keys = keys;
    const config = socketConfig(
      {
        creds,
        keys,
        devices: this.#devices,
        retries: this.#retries,
        calls: this.#calls,
        placeholders: this.#placeholders,
        getMessage: (key) => this.#sentMessage(key.id),
        groupMetadata: (jid) => this.#groups.get(jid),
      },
      this.#context.config,
      this.#settings,
    );
    const live: LiveSocket = new LiveSocket(
      config,
      {
        ...events,
        closed: (disconnect) => {
          gate.close();
          this.#acks.lose();
          events.closed(disconnect);
        },
      },
      {
        credsChanged: () => {
          if (!this.#stopping && this.#creds === creds) saveCreds(state, creds);
        },
        event: (name, data) => this.#onEvent[name]?.(data),
        attached: (sock) => this.#acks.attach(sock.ws),
        frame: (frame) => gate.push(frame),
      },
    );
    const gate = new OutputGate({
      send: (frame) => live.send(frame),
      head: () => (this.#settings.gate === 'durable' ? state.head : 0),
      durable: (mark) => state.durable(mark),
      assertOwned: () => this.#context.assertOwned(),
      fenced: (error) => this.#context.logger.warn({ err: error }, 'the state is no longer ours: nothing leaves'),
    });
    this.#gate = gate;
    this.#live = live;
    return live;
  }

  #forgetLogin(): void {
    this.#keys?.close();
    forgetLogin(this.#context.state);
  }

  /** What Baileys tells, as it tells it. */
  readonly #onEvent: { readonly [E in keyof BaileysEventMap]?: (data: BaileysEventMap[E]) => void } = {
    'messages.upsert': ({ messages }) => {
      for (const message of messages) void this.#inbound.accept(message, 'app');
    },
    'messages.update': (updates) => {
      for (const update of updates) this.#inOrder(update.key, () => toAck(update, this.#receipts));
    },
    'message-receipt.update': (updates) => {
      for (const update of updates) this.#inOrder(update.key, () => toGroupAck(update, this.#receipts));
    },
    'presence.update': (presence) => {
      const now = this.#context.clock.now();
      this.#inOrder({ remoteJid: presence.id }, () => toPresence(presence, this.#receipts.lookUpPhone, now));
    },
    'groups.update': (groups) => {
      for (const { id } of groups) if (id) this.#groups.drop(id);
    },
    'group-participants.update': ({ id }) => this.#groups.drop(id),
  };

  readonly #receipts = {
    me: () => jidToChatId(this.#creds?.me?.id),
    lookUpPhone: (lid: string) => this.#lookUpPhone(lid),
    now: () => this.#context.clock.now(),
  };

  #inOrder(key: { readonly remoteJid?: string | null }, convert: () => Promise<EngineEvent | undefined>): void {
    const chat = jidNormalizedUser(key.remoteJid ?? undefined);
    void this.#inbound.inOrder(chat, async () => {
      const event = await convert();
      if (event) this.#emit(event);
    });
  }

  #working(): LiveAccount | undefined {
    const me = this.#creds?.me;
    if (this.#connection.phase !== 'working' || !this.#live || !this.#keys || !me || this.#stopping) {
      return undefined;
    }
    return { sock: this.#live.sock, keys: this.#keys, groups: this.#groups, meJid: jidNormalizedUser(me.id) };
  }

  #requireSocket(): WASocket {
    if (!this.#live) throw new Error('not connected');
    return this.#live.sock;
  }

  async #lookUpPhone(lid: string): Promise<string | null> {
    return (await this.#live?.sock.signalRepository.lidMapping.getPNForLID(lid)) ?? null;
  }

  async #sentMessage(id: string | null | undefined): Promise<proto.IMessage | undefined> {
    if (!id) return undefined;
    const content = this.#recent.get(id) ?? (await this.#context.sentContent(id));
    return content ? proto.Message.decode(content) : undefined;
  }

  #emit(event: EngineEvent): void {
    if (!this.#stopped) this.#context.emit(event);
  }

  #report(state: EngineState): void {
    if (!this.#stopping && !this.#leaving) this.#context.report(state);
  }
}
