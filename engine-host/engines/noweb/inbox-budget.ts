/**
 * In bytes, as the entries lie in the state, plus a kilobyte each. In memory they take about seven times as much: as
 * state, as entries, as messages, as the events made from them.
 */
export interface InboxLimits {
  readonly session: number;
  readonly host: number;
}

/** What an entry costs beside its bytes. */
const ENTRY_BYTES = 1024;

/** How much of what WhatsApp has told may wait for the bus on a host, in the inboxes of all its sessions. */
export class InboxBudget {
  readonly #limits: InboxLimits;
  #used = 0;

  constructor(limits: InboxLimits) {
    this.#limits = limits;
  }

  open(): InboxShare {
    return new InboxShare(this.#limits, {
      used: () => this.#used,
      use: (bytes) => {
        this.#used += bytes;
      },
    });
  }
}

interface HostUse {
  used(): number;
  use(bytes: number): void;
}

/** One session's part. */
export class InboxShare {
  readonly #limits: InboxLimits;
  readonly #host: HostUse;
  #used = 0;
  #closed = false;

  constructor(limits: InboxLimits, host: HostUse) {
    this.#limits = limits;
    this.#host = host;
  }

  /** No more should be received. */
  get isFull(): boolean {
    return this.#used >= this.#limits.session || this.#host.used() >= this.#limits.host;
  }

  /** Enough has gone for receiving to begin again. */
  get hasRoom(): boolean {
    return this.#used <= this.#limits.session / 2 && this.#host.used() <= this.#limits.host / 2;
  }

  /** @returns what the entry counts */
  add(entry: Uint8Array): number {
    const bytes = entry.length + ENTRY_BYTES;
    this.#change(bytes);
    return bytes;
  }

  /** @param bytes what `add` has returned */
  remove(bytes: number): void {
    this.#change(-bytes);
  }

  /** The inbox is out of memory; what is in it is the next one's. */
  close(): void {
    this.#change(-this.#used);
    this.#closed = true;
  }

  #change(bytes: number): void {
    if (this.#closed) return;
    this.#used += bytes;
    this.#host.use(bytes);
  }
}
