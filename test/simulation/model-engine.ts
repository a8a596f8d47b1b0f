import type {
  CommandHandlers,
  CommandOutcome,
  Engine,
  EngineContext,
  JobContext,
} from '#engine-host/engines/engine.ts';
import { Connection, type OpenSocket, type SocketEvents } from '#engine-host/engines/noweb/connection.ts';
import type { Happening } from '#engine-host/engines/noweb/happening.ts';
import { shortHash } from '#engine-host/engines/noweb/heard.ts';
import { Inbox, type MessageInProgress } from '#engine-host/engines/noweb/inbox.ts';
import { InboxBudget } from '#engine-host/engines/noweb/inbox-budget.ts';
import { MarkedState } from '#engine-host/engines/noweb/marked-state.ts';
import { OutputGate } from '#engine-host/engines/noweb/output-gate.ts';
import { Proofs } from '#engine-host/engines/noweb/proofs.ts';
import { ServerAcks, type ServerAnswer } from '#engine-host/engines/noweb/server-acks.ts';
import type { CommandOf } from '#shared/contracts/commands.ts';
import type { Me } from '#shared/contracts/session.ts';
import type { Books } from './books.ts';
import { encodeFrame, type Frame, type Stanza, type Told } from './frames.ts';
import type { Guard } from './guards.ts';
import { eventsOf } from './model-events.ts';
import type { SimProcess } from './timeline.ts';
import type { Link, WhatsAppModel } from './whatsapp-model.ts';

export interface ModelEngineDeps {
  readonly context: EngineContext;
  readonly whatsapp: WhatsAppModel;
  readonly process: SimProcess;
  readonly books: Books;
  readonly without: Guard | undefined;
}

const UNBOUNDED = new InboxBudget({ session: Number.POSITIVE_INFINITY, host: Number.POSITIVE_INFINITY });
const NOT_CONNECTED: CommandOutcome = { kind: 'retry', reason: 'not-connected', afterSeconds: 2 };
const ACK_TIMEOUT_MS = 20_000;
const PING_MS = 1_000;
const SETTINGS = {
  distrust: { baseMs: 30_000, maxMs: 300_000 },
  reconnect: { baseMs: 500, maxMs: 10_000 },
  conflict: { waitMs: 5_000, attempts: 3 },
  blipMs: 10_000,
  qrCodes: 6,
};

/** What the output gate is for. */
const GATES: { readonly [kind in Frame['kind']]?: Guard } = {
  msg: 'wire-gate',
  ack: 'ack-gate',
  'pair-sign': 'pairing-gate',
};

/**
 * NOWEB with its own connection, gate, inbox, proofs and acks, and with a toy in the place of Baileys: a counter is a
 * ratchet, and a frame is JSON. Models `noweb-engine.ts`, `sender.ts`, `receiving.ts` and `stanza-intake.ts`.
 */
export class ModelEngine implements Engine {
  readonly handlers: CommandHandlers = { sendText: (command, job) => this.#send(command, job) };
  readonly #deps: ModelEngineDeps;
  readonly #state: MarkedState;
  readonly #inbox: Inbox;
  readonly #proofs: Proofs;
  readonly #acks = new ServerAcks();
  readonly #connection: Connection;
  #gate: OutputGate | undefined;
  #link: Link | undefined;
  #caughtUp = Promise.withResolvers<void>();
  #ping: NodeJS.Timeout | undefined;
  #replayed = false;
  #stopped = false;

  constructor(deps: ModelEngineDeps) {
    this.#deps = deps;
    const { context } = deps;
    this.#state = new MarkedState(context.state);
    this.#inbox = new Inbox(this.#state, (number, happening) => this.#deliver(number, happening), UNBOUNDED.open());
    this.#proofs = new Proofs(this.#state);
    this.#connection = new Connection(
      {
        connect: (events) => this.#connect(events),
        me: () => (this.#state.get('creds') ? this.#me : undefined),
        hasLoggedIn: () => this.#state.get('login/succeeded') !== undefined,
        markLoggedIn: () => {
          if (!this.#state.get('login/succeeded')) this.#put('login/succeeded', '1');
        },
        forgetLogin: () => void this.#state.append([{ key: 'creds', value: null }]),
        assertOwned: () => context.assertOwned(),
        hasRoom: () => true,
        confirmOwned: () => context.confirmOwned(),
        onceMayConnect: (callback) => context.onceMayConnect(callback),
        report: (state) => {
          if (!this.#stopped) context.report(state);
        },
        now: () => context.clock.now(),
      },
      SETTINGS,
    );
  }

  start(): void {
    this.#connection.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#gate?.close();
    this.#acks.lose();
    this.#caughtUp.resolve();
    clearInterval(this.#ping);
    await this.#connection.stop();
    this.#state.hasten();
  }

  logout(): Promise<void> {
    return this.stop();
  }

  get #me(): Me {
    return { id: '4915100000000@c.us', pushName: null, lid: null, jid: null };
  }

  #connect(events: SocketEvents): OpenSocket {
    const { context, whatsapp, process } = this.#deps;
    this.#gate?.close();
    clearInterval(this.#ping);
    const caughtUp = Promise.withResolvers<void>();
    this.#caughtUp = caughtUp;
    let isOver = false;
    const over = () => {
      isOver = true;
      gate.close();
      clearInterval(this.#ping);
      this.#acks.lose();
      caughtUp.resolve();
    };
    const link: Link = whatsapp.connect(context.session, process, {
      told: (message) => {
        if (!isOver) this.#hear(message, gate, events, caughtUp);
      },
      closed: (code) => {
        if (isOver) return;
        over();
        events.closed({ code, message: '' });
      },
    });
    const gate = new OutputGate({
      send: (frame) => link.send(frame),
      head: () => this.#state.needed,
      durable: (mark) => this.#state.durable(mark),
      assertOwned: () => context.assertOwned(),
      fenced: () => {},
    });
    this.#gate = gate;
    if (!this.#replayed) {
      this.#replayed = true;
      this.#inbox.replay();
    }
    this.#link = link;
    this.#push(gate, { kind: 'login', paired: this.#state.get('creds') !== undefined });
    return {
      close: async () => {
        over();
        link.close();
      },
    };
  }

  #hear(message: Told, gate: OutputGate, events: SocketEvents, caughtUp: PromiseWithResolvers<void>): void {
    switch (message.kind) {
      case 'qr':
        events.qr('2@model');
        break;
      case 'pair-success':
        this.#put('creds', 'signed');
        this.#push(gate, { kind: 'pair-sign' });
        break;
      case 'success':
        this.#ping = setInterval(() => this.#push(gate, { kind: 'ping' }), PING_MS);
        events.opened();
        break;
      case 'caught-up':
        caughtUp.resolve();
        break;
      case 'server-ack':
        this.#proofs.receipt(message.id, message.t);
        this.#acks.answered({ tag: 'ack', attrs: { id: message.id, t: String(message.t) } });
        break;
      case 'stanza':
        this.#receive(message.stanza);
        this.#push(gate, { kind: 'ack', id: message.stanza.id });
    }
  }

  #receive(stanza: Stanza): void {
    const { id, from, t } = stanza;
    const attrs = { id, from, t: String(t) };
    if (stanza.kind === 'receipt') {
      this.#proofs.receipt(stanza.messageId, t);
      this.#acks.proven(stanza.messageId, t);
      this.#inbox.note({ kind: 'receipt', attrs, ids: [stanza.messageId] });
      return;
    }
    const hash = shortHash(from, String(stanza.n));
    const known = this.#deps.without === 'ciphertext-memory' ? undefined : this.#inbox.known(hash);
    if (known !== undefined) return;
    if (stanza.n <= this.#count(`in/${from}`)) {
      this.#deps.books.breach('R2', `${this.#deps.context.session}: ${id} cannot be decrypted a second time`);
      return;
    }
    const message: MessageInProgress = {
      attrs,
      of: 1,
      internal: false,
      identity: shortHash(id, from),
      number: undefined,
    };
    const changes = this.#inbox.take(message, { hash, plain: Buffer.from(stanza.text), internal: false });
    this.#state.append([{ key: `in/${from}`, value: Buffer.from(String(stanza.n)) }, ...changes]);
    this.#inbox.settle(message);
  }

  #deliver(number: number, happening: Happening): void {
    if (this.#stopped) return;
    const events = eventsOf(happening, this.#me.id);
    let waiting = events.length;
    for (const event of events) {
      this.#deps.context.emit(event, () => {
        waiting -= 1;
        if (waiting === 0) this.#inbox.clear(number);
      });
    }
  }

  async #send({ chatId, text }: CommandOf<'sendText'>, job: JobContext): Promise<CommandOutcome> {
    await this.#connection.mended(2_000);
    if (this.#connection.phase === 'working') await this.#caughtUp.promise;
    const gate = this.#gate;
    if (this.#connection.phase !== 'working' || gate === undefined || this.#stopped) return NOT_CONNECTED;
    const { context } = this.#deps;
    const provenAt = job.frozen === undefined ? undefined : this.#proofs.provenAt(job.messageId);
    if (job.frozen !== undefined && provenAt !== undefined)
      return this.#sent(chatId, job, job.frozen.content, provenAt);
    context.assertOwned();
    // As uploaded media do, it gets a new key each time it is made.
    const fresh = Buffer.from(`${text}\0${Math.random()}`);
    const { content } = job.frozen ?? (await job.freeze({ content: fresh }));
    if (this.#gate !== gate || this.#stopped) return NOT_CONNECTED;
    job.signal.throwIfAborted();
    context.assertOwned();
    const id = job.messageId;
    this.#proofs.leaving(id, job.traceparent);
    const n = this.#count(`out/${chatId}`) + 1;
    this.#put(`out/${chatId}`, String(n));
    const answer = this.#serverAck(id);
    this.#push(gate, { kind: 'msg', id, peer: chatId, n, content: Buffer.from(content).toString('latin1') });
    const given = await answer;
    if (given.kind === 'ack') return this.#sent(chatId, job, content, given.timestamp);
    return { kind: 'retry', reason: given.kind === 'lost' ? 'connection-lost' : 'ack-timeout', afterSeconds: 1 };
  }

  async #sent(
    jid: string,
    { messageId: id, traceparent }: JobContext,
    content: Uint8Array,
    timestamp: number,
  ): Promise<CommandOutcome> {
    if (!this.#proofs.isTold(id)) {
      this.#inbox.note({ kind: 'sent', jid, id, timestamp, content }, this.#proofs.told(id, timestamp, traceparent));
    }
    await this.#state.durable(this.#state.needed);
    return { kind: 'sent', timestamp };
  }

  async #serverAck(id: string): Promise<ServerAnswer> {
    const { without, context } = this.#deps;
    if (without === 'server-ack') return { kind: 'ack', timestamp: Math.floor(context.clock.now() / 1000) };
    return this.#acks.expect(id, ACK_TIMEOUT_MS);
  }

  #push(gate: OutputGate, frame: Frame): void {
    const bytes = encodeFrame(frame);
    const isUngated = this.#deps.without !== undefined && this.#deps.without === GATES[frame.kind];
    if (isUngated) this.#link?.send(bytes);
    else gate.push(bytes);
  }

  #count(key: string): number {
    return Number(Buffer.from(this.#state.get(key) ?? Buffer.from('0')).toString());
  }

  #put(key: string, value: string): void {
    this.#state.append([{ key, value: Buffer.from(value) }]);
  }
}
