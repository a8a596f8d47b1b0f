import { isDeepStrictEqual } from 'node:util';
import type { Me } from '#shared/contracts/session.ts';
import { NotOwnerError } from '#shared/domain/errors.ts';
import type { EngineState } from '../engine.ts';
import { type Disconnect, type NextStep, nextStep, QR_EXPIRED, REPLACED } from './disconnect-policy.ts';
import type { NowebSettings } from './options.ts';

/** What a socket tells of its life. `closed` comes exactly once and is the last. */
export interface SocketEvents {
  qr(value: string): void;
  opened(): void;
  /** The account's own data (name, LID) changed. */
  identified(): void;
  closed(disconnect: Disconnect): void;
}

export interface OpenSocket {
  /** Closes without a word to the caller: no event comes after the call. */
  close(): Promise<void>;
}

export interface ConnectionPorts {
  connect(events: SocketEvents): OpenSocket;
  me(): Me | undefined;
  hasLoggedIn(): boolean;
  markLoggedIn(): void;
  forgetLogin(): void;
  /** @throws NotOwnerError while this host may not act for the session */
  assertOwned(): void;
  /** False while so much waits for the bus that nothing more should be received. */
  hasRoom(): boolean;
  confirmOwned(): Promise<boolean>;
  onceMayConnect(callback: () => void): () => void;
  report(state: EngineState): void;
  /** Milliseconds since 1970. */
  now(): number;
}

export type ConnectionSettings = Pick<
  NowebSettings,
  'reconnect' | 'distrust' | 'conflict' | 'blipMs' | 'qrCodes' | 'qrLifetimeMs'
>;

/** Where the connection is in its life. `ended`: stopped or failed, for good. */
export type Phase = 'idle' | 'connecting' | 'pairing' | 'working' | 'waiting' | 'ended';

/** A connection that has held this many conflict waits is no longer part of a conflict. */
const STABLE_AFTER_WAITS = 5;
const FIRST_QR_MS = 60_000;
const NEXT_QR_MS = 20_000;
const EVENTS_WAIT = 'events-waiting';
/** Up to twice as long, so that a host's sessions do not all come back at once. */
const ROOM_POLL_MS = 1_000;

/**
 * The life of a session's connection: which socket is the current one, what its end means, when the next is opened.
 * There is never more than one socket, and every socket is a new one.
 */
export class Connection {
  readonly #ports: ConnectionPorts;
  readonly #settings: ConnectionSettings;
  #phase: Phase = 'idle';
  #socket: OpenSocket | undefined;
  #next: NodeJS.Timeout | undefined;
  #takeBackWish = (): void => {};
  #blip: NodeJS.Timeout | undefined;
  #failures = 0;
  #conflicts = 0;
  #refusals = 0;
  #qrCodes = 0;
  #qrLifetimeMs = 0;
  #current: symbol | undefined;
  #openedAt = 0;
  #reported: EngineState | undefined;
  #mending: (() => void)[] = [];

  constructor(ports: ConnectionPorts, settings: ConnectionSettings) {
    this.#ports = ports;
    this.#settings = settings;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Waits for the end of a drop that has not been reported; returns at once when there is none to wait for. */
  async mended(timeoutMs: number): Promise<void> {
    if (this.#phase === 'working' || this.#phase === 'ended' || this.#reported?.status !== 'WORKING') return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#mending.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  start(): void {
    if (this.#phase !== 'idle') return;
    this.#report({ status: 'STARTING' });
    this.#connect();
  }

  /** Closes the socket and reports nothing more. */
  async stop(): Promise<void> {
    this.#end();
    await this.#socket?.close();
    this.#socket = undefined;
  }

  #end(): void {
    this.#phase = 'ended';
    this.#wake();
    clearTimeout(this.#next);
    this.#takeBackWish();
    clearTimeout(this.#blip);
  }

  #connect(): void {
    if (!this.#ports.hasRoom()) {
      this.#later(ROOM_POLL_MS * (1 + Math.random()), EVENTS_WAIT);
      return;
    }
    this.#phase = 'waiting';
    this.#takeBackWish = this.#ports.onceMayConnect(() => this.#open());
  }

  #open(): void {
    if (!this.#owned()) {
      this.#later(this.#backoff(), 'not-owner');
      return;
    }
    this.#phase = 'connecting';
    this.#qrLifetimeMs = this.#settings.qrLifetimeMs ?? FIRST_QR_MS;
    // Events of a socket that is no longer the current one are nobody's.
    const token = Symbol('socket');
    this.#current = token;
    const current = (handle: () => void): void => {
      if (this.#current === token && this.#phase !== 'ended') handle();
    };
    try {
      this.#socket = this.#ports.connect({
        qr: (value) => current(() => this.#onQr(value)),
        opened: () => current(() => this.#onOpened()),
        identified: () => current(() => this.#onIdentified()),
        closed: (disconnect) => current(() => this.#onClosed(disconnect)),
      });
    } catch (error) {
      this.#fail({
        kind: 'fail',
        reason: 'engine-crashed',
        message: error instanceof Error ? error.message : 'unknown',
      });
    }
  }

  #onQr(value: string): void {
    this.#qrCodes += 1;
    if (this.#qrCodes > this.#settings.qrCodes) {
      this.#fail(QR_EXPIRED);
      return;
    }
    this.#phase = 'pairing';
    clearTimeout(this.#blip);
    this.#blip = undefined;
    const expiresAt = this.#ports.now() + this.#qrLifetimeMs;
    this.#qrLifetimeMs = this.#settings.qrLifetimeMs ?? NEXT_QR_MS;
    this.#report({ status: 'SCAN_QR_CODE', qr: { value, expiresAt } });
  }

  #onOpened(): void {
    const me = this.#ports.me();
    if (!me) return;
    this.#phase = 'working';
    this.#failures = 0;
    this.#refusals = 0;
    this.#openedAt = performance.now();
    clearTimeout(this.#blip);
    this.#blip = undefined;
    this.#ports.markLoggedIn();
    this.#report({ status: 'WORKING', me });
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#mending.splice(0)) resolve();
  }

  #onIdentified(): void {
    const me = this.#ports.me();
    if (this.#phase === 'working' && me) this.#report({ status: 'WORKING', me });
  }

  #onClosed(disconnect: Disconnect): void {
    const { conflict } = this.#settings;
    const held = this.#phase === 'working' ? performance.now() - this.#openedAt : 0;
    if (held > conflict.waitMs * STABLE_AFTER_WAITS) this.#conflicts = 0;
    this.#socket = undefined;
    this.#current = undefined;
    this.#phase = 'waiting';
    if (disconnect.code === REPLACED) void this.#onReplaced(disconnect);
    else this.#take(this.#nextStep(disconnect));
  }

  /**
   * Another host that has taken the session over looks like a stranger who uses this login. Before anything is said or
   * done it must be known which; where the session is another host's by now, nothing is: this host closes it.
   */
  async #onReplaced(disconnect: Disconnect): Promise<void> {
    this.#noteDrop('conflict');
    const ours = await this.#ports.confirmOwned();
    if (this.#phase !== 'waiting') return;
    if (ours) this.#take(this.#nextStep(disconnect));
    else clearTimeout(this.#blip);
  }

  #nextStep(disconnect: Disconnect): NextStep {
    return nextStep(disconnect, {
      hasLoggedIn: this.#ports.hasLoggedIn(),
      conflicts: this.#conflicts,
      maxConflicts: this.#settings.conflict.attempts,
    });
  }

  #take(step: NextStep): void {
    switch (step.kind) {
      case 'reconnect':
        // Half of a pairing, and somebody looks at a phone: it waits for no turn.
        this.#later(0, 'restart-required', () => this.#open());
        return;
      case 'back-off':
        this.#later(this.#backoff(), step.reason);
        return;
      case 'wait-for-conflict':
        this.#conflicts += 1;
        this.#later(this.#settings.conflict.waitMs, 'conflict');
        return;
      case 'be-wary':
        clearTimeout(this.#blip);
        this.#blip = undefined;
        this.#report({ status: 'STARTING', reason: step.reason, message: step.message });
        this.#later(this.#wariness(), step.reason);
        return;
      case 'pair-anew':
        this.#ports.forgetLogin();
        this.#later(0, 'not-paired');
        return;
      case 'fail':
        this.#fail(step);
    }
  }

  #later(ms: number, reason: string, then = () => this.#connect()): void {
    this.#phase = 'waiting';
    this.#next = setTimeout(then, ms);
    this.#noteDrop(reason);
  }

  #noteDrop(reason: string): void {
    if (this.#reported?.status === 'STARTING') {
      if (reason === EVENTS_WAIT) this.#report({ status: 'STARTING', reason });
      return;
    }
    this.#blip ??= setTimeout(() => this.#report({ status: 'STARTING', reason }), this.#settings.blipMs);
  }

  #fail(step: NextStep & { readonly kind: 'fail' }): void {
    const socket = this.#socket;
    this.#end();
    this.#report({ status: 'FAILED', reason: step.reason, message: step.message });
    void socket?.close();
  }

  #report(state: EngineState): void {
    // A drop that was mended within the blip time is no news.
    if (isDeepStrictEqual(this.#reported, state)) return;
    this.#reported = state;
    this.#ports.report(state);
  }

  #backoff(): number {
    const { baseMs, maxMs } = this.#settings.reconnect;
    const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return Math.random() * ceiling;
  }

  /** At least half of a pause that doubles: never soon, and a host's sessions do not all come at once. */
  #wariness(): number {
    const { baseMs, maxMs } = this.#settings.distrust;
    const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(this.#refusals, 30));
    this.#refusals += 1;
    return (ceiling * (1 + Math.random())) / 2;
  }

  #owned(): boolean {
    try {
      this.#ports.assertOwned();
      return true;
    } catch (error) {
      if (error instanceof NotOwnerError) return false;
      throw error;
    }
  }
}
