import {
  type AuthenticationCreds,
  type BaileysEventMap,
  jidNormalizedUser,
  type WASocket,
} from '@whiskeysockets/baileys';
import { isIgnoredChat } from '#shared/domain/ignored-chats.ts';
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
import type { InboxBudget } from './inbox-budget.ts';
import { LiveSocket } from './live-socket.ts';
import { MarkedState } from './marked-state.ts';
import { meOf } from './me.ts';
import { IncomingMedia } from './media-in.ts';
import type { MediaQueue } from './media-queue.ts';
import { MediaReuploads, ON_ARRIVAL, ON_DEMAND } from './media-reuploads.ts';
import type { NowebSettings } from './options.ts';
import { OutputGate } from './output-gate.ts';
import type { PicturePreviews } from './picture-preview.ts';
import { toPresence } from './presence.ts';
import { RawEvents } from './raw-events.ts';
import { Receiving } from './receiving.ts';
import { Resends } from './resends.ts';
import { Sender } from './sender.ts';
import { ServerAcks } from './server-acks.ts';
import { socketConfig } from './socket-config.ts';
import { unlink } from './unlink.ts';

const MINUTE = 60_000;
/** A planned hand-over has three seconds for everything. */
const LAST_EVENTS_MS = 1_000;
/** Messages in a row without an answer from which on a connection is no good. */
const DEAF_AFTER = 2;
/** How long a command waits for a dropped connection to come back. */
const MEND_MS = 3_000;

/** What all engines of a host have in common. */
export interface SharedByHost {
  readonly budget: InboxBudget;
  /** Of received media: a backlog of many chats would fill the memory. */
  readonly downloads: MediaQueue;
  readonly previews: PicturePreviews;
  readonly uploads: MediaQueue;
}

/** One session's Baileys, from start to stop. */
export class NowebEngine implements Engine {
  readonly handlers: CommandHandlers;
  readonly #context: EngineContext;
  readonly #settings: NowebSettings;
  readonly #connection: Connection;
  readonly #acks = new ServerAcks((inARow) => this.#onUnanswered(inARow));
  readonly #resends: Resends;
  readonly #inbound: Inbound;
  readonly #state: MarkedState;
  readonly #receiving: Receiving;
  readonly #raw: RawEvents;
  readonly #reuploads = new MediaReuploads({
    send: (stanza) => this.#requireSocket().sendNode(stanza),
    ownJid: () => this.#creds?.me?.id,
    now: () => this.#context.clock.monotonic(),
  });
  readonly #groups = new GroupCache((jid) => this.#requireSocket().groupMetadata(jid));
  readonly #devices = new ExpiringCache(256, 60 * MINUTE);
  readonly #retries = new ExpiringCache(256, 60 * MINUTE);
  readonly #calls = new ExpiringCache(16, 5 * MINUTE);
  readonly #placeholders = new ExpiringCache(64, 60 * MINUTE);
  #creds: AuthenticationCreds | undefined;
  #keys: AuthKeys | undefined;
  #live: LiveSocket | undefined;
  #caughtUp = Promise.withResolvers<void>();
  /** What an earlier run has left in the inbox is handled once. */
  #resumed = false;
  #gate: OutputGate | undefined;
  #stopping: Promise<void> | undefined;
  /** Nothing is reported, emitted or changed any more. */
  #stopped = false;
  /** A logout is under way: that the server ends the connection is no news. */
  #leaving = false;

  constructor(context: EngineContext, settings: NowebSettings, { budget, downloads, previews, uploads }: SharedByHost) {
    this.#context = context;
    this.#settings = settings;
    this.#state = new MarkedState(context.state);
    this.#resends = new Resends({ context, lookUpOther: this.#lookUps.lookUpOther });
    this.#connection = new Connection(
      {
        connect: (events) => this.#connect(events),
        me: () => (this.#creds ? meOf(this.#creds) : undefined),
        hasLoggedIn: () => hasLoggedIn(this.#state),
        markLoggedIn: () => markLoggedIn(this.#state),
        forgetLogin: () => this.#forgetLogin(),
        assertOwned: () => context.assertOwned(),
        // The first connection is where what an earlier run has left is made into events.
        hasRoom: () => !this.#resumed || this.#receiving.hasRoom(),
        confirmOwned: () => context.confirmOwned(),
        onceMayConnect: (callback) => context.onceMayConnect(callback),
        report: (state) => this.#report(state),
        now: () => context.clock.now(),
      },
      settings,
    );
    const media = new IncomingMedia({
      session: context.session,
      store: context.media,
      queue: downloads,
      phone: this.#reuploads,
      limits: {
        maxBytes: settings.mediaMaxBytes,
        timeoutMs: settings.mediaTimeoutMs,
        trusts: (hostname) => settings.isMediaHost(hostname),
      },
    });
    this.#inbound = new Inbound({
      me: () => jidToChatId(this.#creds?.me?.id),
      lookUpOther: this.#lookUps.lookUpOther,
      otherAddress: (jid) => this.#keys?.otherAddress(jid),
      storeMedia: async (key, { media: content }, source) => {
        if (!content) return null;
        if (source === 'app') return media.fetch(key, content, ON_ARRIVAL);
        return { url: null, mimetype: content.mimetype, filename: content.filename, s3: null, error: null };
      },
      findSecret: (id) => this.#receiving.findSecret(id),
      ownJids: () => [this.#creds?.me?.id, this.#creds?.me?.lid].filter((jid) => jid !== undefined),
      emit: (event, published) => this.#emit(event, published),
      logger: context.logger,
    });
    this.#receiving = new Receiving({
      state: this.#state,
      share: budget.open(),
      inbound: this.#inbound,
      acks: this.#acks,
      receipts: this.#lookUps,
      logger: context.logger,
      addresses: () => (this.#creds?.me ? { id: this.#creds.me.id, lid: this.#creds.me.lid ?? '' } : undefined),
      now: () => context.clock.now(),
      contentOf: (id) => context.contentOf(id, {}),
      ignores: (jid) => isIgnoredChat(context.config.ignore, jid),
      groupChanged: (jid) => this.#groups.drop(jid),
    });
    this.#raw = new RawEvents({
      wanted: () => context.wantsEngineEvents(),
      emit: (event, published) => this.#emit(event, published),
      now: () => context.clock.now(),
    });
    const mended = async (): Promise<LiveAccount | undefined> => {
      await this.#connection.mended(MEND_MS);
      if (this.#connection.phase === 'working') await this.#caughtUp.promise;
      return this.#working();
    };
    const sender = new Sender({
      context,
      acks: this.#acks,
      resends: this.#resends,
      ackTimeoutMs: settings.ackTimeoutMs,
      mended,
      proofs: this.#receiving.proofs,
      sent: (message) => this.#receiving.sent(message),
    });
    this.handlers = createHandlers({
      context,
      sender,
      previews,
      uploads,
      storeMedia: (key, content) => media.fetch(key, content, ON_DEMAND),
      mediaStored: (key, stored) => this.#receiving.mediaStored(key, stored),
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
    this.#caughtUp.resolve();
    this.#receiving.stop();
    await this.#connection.stop();
    await this.#lastEvents();
    this.#stopped = true;
    this.#state.hasten();
    this.#live = undefined;
  }

  /**
   * What the server has been told we have becomes events. A download that takes long must not keep the session off line:
   * its message is in the inbox, and whoever runs the session next makes the event.
   */
  async #lastEvents(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_EVENTS_MS);
    });
    await Promise.race([this.#inbound.idle(), patience]).finally(() => clearTimeout(timer));
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
    const state = this.#state;
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
        intake: this.#receiving.intake,
        devices: this.#devices,
        retries: this.#retries,
        calls: this.#calls,
        placeholders: this.#placeholders,
        getMessage: (key) => this.#resends.find(key),
        groupMetadata: (jid) => this.#groups.get(jid),
        passesOver: (jid) => this.#receiving.passesOver(jid),
        distrusted: () => this.#context.logger.warn('the keys of a device are not signed by it: nothing is sent to it'),
      },
      this.#context.config,
      this.#settings,
    );
    const caughtUp = Promise.withResolvers<void>();
    this.#caughtUp = caughtUp;
    const live: LiveSocket = new LiveSocket(
      config,
      {
        ...events,
        opened: () => {
          this.#awaitBacklog(caughtUp);
          events.opened();
          this.#receiving.resume(live.sock);
          this.#reuploads.opened();
        },
        closed: (disconnect) => {
          gate.close();
          this.#acks.lose();
          caughtUp.resolve();
          const { distrust: reason, message } = disconnect;
          if (reason !== undefined) this.#context.logger.error({ reason }, message);
          events.closed(disconnect);
        },
      },
      {
        credsChanged: () => {
          if (!this.#stopping && this.#creds === creds) saveCreds(state, creds);
        },
        event: (name, data) => {
          this.#onEvent[name]?.(data);
          this.#raw.tell(name, data);
        },
        caughtUp: () => caughtUp.resolve(),
        attached: (sock) =>
          this.#receiving.listen(sock, () => {
            gate.close();
            live.abandon();
          }),
        frame: (frame) => gate.push(frame),
        isHeldBack: () => gate.pending > 0,
        died: (figures) => this.#context.logger.warn(figures, 'the connection was dead'),
      },
      { ...this.#settings, openingMs: 2 * this.#settings.connectTimeoutMs, now: this.#lookUps.now },
    );
    const gate = new OutputGate({
      send: (frame) => live.send(frame),
      head: () => (this.#settings.gate === 'durable' ? state.needed : 0),
      durable: (mark) => state.durable(mark),
      assertOwned: () => this.#context.assertOwned(),
      fenced: (error) => this.#context.logger.warn({ err: error }, 'the state is no longer ours: nothing leaves'),
    });
    this.#gate = gate;
    this.#live = live;
    this.#replay();
    return live;
  }

  #forgetLogin(): void {
    this.#keys?.close();
    forgetLogin(this.#state);
  }

  /**
   * The connection answers pings and takes messages into nowhere. A new one is tried once: if that does not help either,
   * it is the message, and its session must not pay for it again and again.
   */
  #onUnanswered(inARow: number): void {
    if (inARow !== DEAF_AFTER || this.#gate?.pending !== 0 || this.#connection.phase !== 'working') return;
    this.#context.logger.warn({ unanswered: inARow }, 'the connection takes messages and answers none');
    this.#live?.abandon();
  }

  /** Sends wait for the end of what has gathered meanwhile: receipts in it may prove that they have been sent. */
  #awaitBacklog(caughtUp: PromiseWithResolvers<void>): void {
    const timer = setTimeout(() => caughtUp.resolve(), this.#settings.catchUpMs);
    void caughtUp.promise.then(() => clearTimeout(timer));
  }

  /** Events that an earlier run did not get rid of go first. */
  #replay(): void {
    if (this.#resumed) return;
    this.#resumed = true;
    this.#receiving.replay();
  }

  /** What Baileys tells, as it tells it. */
  readonly #onEvent: { readonly [E in keyof BaileysEventMap]?: (data: BaileysEventMap[E]) => void } = {
    'messages.upsert': ({ messages }) => {
      for (const message of messages) this.#receiving.reported(message);
    },
    'labels.edit': (label) => this.#receiving.synced((account) => account.label(label)),
    'labels.association': (label) => this.#receiving.synced((account) => account.association(label)),
    'chats.update': (chats) => {
      for (const chat of chats) this.#receiving.synced((account) => account.archive(chat));
    },
    'messages.media-update': (updates) => this.#reuploads.answered(updates),
    'presence.update': (presence) => {
      const now = this.#context.clock.now();
      void this.#inbound.inOrder({ chats: [presence.id] }, async (emit) => {
        const event = await toPresence(presence, this.#lookUps.lookUpOther, now);
        if (event) emit(event);
      });
    },
  };

  readonly #lookUps = {
    me: () => jidToChatId(this.#creds?.me?.id),
    lookUpOther: async (jid: string) => this.#keys?.otherAddress(jid),
    now: () => this.#context.clock.now(),
  };

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

  #emit(event: EngineEvent, published: () => void): void {
    if (!this.#stopped) this.#context.emit(event, published);
  }

  #report(state: EngineState): void {
    if (!this.#stopping && !this.#leaving) this.#context.report(state);
  }
}
