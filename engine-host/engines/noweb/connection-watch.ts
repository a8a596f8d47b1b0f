/** What the watch needs of a connection. */
export interface WatchPorts {
  /** Asks the server for an answer. Resolves with it, or with undefined or not at all; that is only for the figures. */
  ping(): Promise<unknown>;
  /** Frames wait to be let out: no answer can be due. */
  isHeldBack(): boolean;
  /** Called once: whatever the socket says, the connection is dead. */
  dead(figures: WatchFigures): void;
}

export interface WatchFigures {
  /** Milliseconds since the server was heard. */
  readonly silentMs: number;
  /** Of the last ping that was answered. */
  readonly roundTripMs: number | undefined;
}

/** Milliseconds. */
export interface WatchSettings {
  /** From connecting to the first stanza, which says that the login has been read. */
  readonly openingMs: number;
  /** Longest pause between two pings. Each pause is drawn from its last third, so that a host's sessions do not ping at once. */
  readonly pingMs: number;
  /** Silence after a ping from which on the connection is dead. */
  readonly pingAnswerMs: number;
}

/**
 * Finds the connection that looks open and is dead: half-open TCP, a proxy that has forgotten it, a server that has hung.
 * Any frame is a sign of life, an answer to the ping in particular. While the host may not act nothing is asked, so
 * nothing is concluded.
 */
export class ConnectionWatch {
  readonly #ports: WatchPorts;
  readonly #settings: WatchSettings;
  #timer: NodeJS.Timeout | undefined;
  #heardAt: number;
  #roundTripMs: number | undefined;
  #isOpen = false;
  #isOver = false;

  /** Begins at once. */
  constructor(ports: WatchPorts, settings: WatchSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#heardAt = performance.now();
    this.#in(settings.openingMs, () => this.#die());
  }

  /** A frame has come. @param isStanza the noise handshake is behind it, so that pings can be understood */
  heard(isStanza: boolean): void {
    this.#heardAt = performance.now();
    if (!isStanza || this.#isOpen) return;
    this.#isOpen = true;
    this.#rest();
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #rest(): void {
    const { pingMs } = this.#settings;
    this.#in((pingMs * (2 + Math.random())) / 3, () => this.#ask());
  }

  #ask(): void {
    const askedAt = performance.now();
    this.#ports.ping().then(
      (answer) => {
        if (answer !== undefined) this.#roundTripMs = performance.now() - askedAt;
      },
      // Without an answer the watch itself speaks up.
      () => undefined,
    );
    this.#await();
  }

  /** A time that began or ended with the ping held back proves nothing. */
  #await(): void {
    const since = performance.now();
    const wasHeldBack = this.#ports.isHeldBack();
    this.#in(this.#settings.pingAnswerMs, () => {
      if (this.#heardAt >= since) this.#rest();
      else if (wasHeldBack || this.#ports.isHeldBack()) this.#await();
      else this.#die();
    });
  }

  #die(): void {
    this.stop();
    this.#ports.dead({ silentMs: performance.now() - this.#heardAt, roundTripMs: this.#roundTripMs });
  }

  #in(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#isOver) this.#timer = setTimeout(then, ms);
  }
}
