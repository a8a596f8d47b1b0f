import type { Me } from '#shared/contracts/session.ts';
import type { ChatId } from '#shared/domain/chat-id.ts';
import type { CommandOutcome, FailureReason } from '../engine.ts';

/** What the network tells a scripted engine. */
export interface ScriptListener {
  paired(me: Me): void;
  received(message: ScriptedMessage): void;
  connected(isConnected: boolean): void;
  failed(reason: FailureReason): void;
}

export interface ScriptedMessage {
  readonly id: string;
  readonly from: ChatId;
  readonly text: string;
  /** Seconds. */
  readonly timestamp: number;
}

export interface SentMessage {
  readonly messageId: string;
  readonly chatId: string;
  readonly text: string;
  readonly content: Uint8Array;
}

export interface ScriptOptions {
  /** @default false */
  readonly pairsItself?: boolean;
}

/** The WhatsApp of one session, as a test writes it. It outlives the session's engines. */
export class SessionScript {
  /** Until the server's ack, milliseconds. */
  ackMs = 0;
  /** Numbers that are not on WhatsApp. */
  readonly strangers = new Set<string>();
  /** Everything that reached the server, each try included. */
  readonly sent: SentMessage[] = [];
  readonly #failures: CommandOutcome[] = [];
  readonly #session: string;
  /** The QR code is scanned as soon as it is shown. */
  readonly pairsItself: boolean;
  #listener: ScriptListener | undefined;
  #connected = true;
  #messages = 0;

  constructor(session: string, options: ScriptOptions = {}) {
    this.#session = session;
    this.pairsItself = options.pairsItself ?? false;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** A phone scans the QR code on show. @throws Error when no engine shows one */
  pair(me: Me = this.#account()): void {
    this.#engine().paired(me);
  }

  /** A contact writes to the session. @returns the message, to inject it again as a redelivery */
  receive(from: ChatId, text: string): ScriptedMessage {
    this.#messages += 1;
    const id = `3A${this.#messages.toString(16).toUpperCase().padStart(18, '0')}`;
    const message = { id, from, text, timestamp: Math.floor(Date.now() / 1000) };
    this.redeliver(message);
    return message;
  }

  redeliver(message: ScriptedMessage): void {
    this.#engine().received(message);
  }

  /** The next send ends like this and does not reach the server. */
  failNext(outcome: CommandOutcome): void {
    this.#failures.push(outcome);
  }

  /** The connection drops, or comes back. */
  connect(isConnected: boolean): void {
    this.#connected = isConnected;
    this.#listener?.connected(isConnected);
  }

  /** The session ends for good, e.g. `logged-out` because the phone unlinked the device. */
  fail(reason: FailureReason): void {
    this.#engine().failed(reason);
  }

  takeFailure(): CommandOutcome | undefined {
    return this.#failures.shift();
  }

  attach(listener: ScriptListener): void {
    this.#listener = listener;
  }

  detach(listener: ScriptListener): void {
    if (this.#listener === listener) this.#listener = undefined;
  }

  #engine(): ScriptListener {
    if (!this.#listener) throw new Error(`no engine of session ${this.#session} is running`);
    return this.#listener;
  }

  #account(): Me {
    const digits = [...this.#session].map((letter) => letter.charCodeAt(0) % 10).join('');
    const phone = `49151${digits.padEnd(8, '0').slice(0, 8)}`;
    return { id: `${phone}@c.us`, pushName: this.#session, lid: null, jid: `${phone}:1@s.whatsapp.net` };
  }
}

/** The WhatsApp of all sessions of a scripted factory. */
export class EngineScript {
  readonly #sessions = new Map<string, SessionScript>();
  readonly #options: ScriptOptions;

  constructor(options: ScriptOptions = {}) {
    this.#options = options;
  }

  session(name: string): SessionScript {
    let script = this.#sessions.get(name);
    if (!script) {
      script = new SessionScript(name, this.#options);
      this.#sessions.set(name, script);
    }
    return script;
  }
}
