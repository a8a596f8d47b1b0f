import { NotOwnerError } from '#shared/domain/errors.ts';
import type { Mark } from '../engine.ts';

/** What the gate needs from around it. */
export interface GatePorts {
  /** Puts a frame on the wire. */
  send(frame: Uint8Array): void;
  /** Mark of the newest change of the session's state. */
  head(): Mark;
  /** Resolves when the state up to the mark would survive the host; rejects when it never will. */
  durable(mark: Mark): Promise<void>;
  /** @throws NotOwnerError while nothing may leave */
  assertOwned(): void;
  /** The state cannot become durable any more: nothing will ever leave again. */
  fenced(error: unknown): void;
}

interface QueuedFrame {
  readonly frame: Uint8Array;
  readonly mark: Mark;
}

const OWNERSHIP_RETRY_MS = 100;

/**
 * Holds a socket's outgoing frames, in order (their encryption counters are fixed already), until all state that was
 * appended before them is durable and this host may act for the session. While it may not, frames wait: a host that is
 * only suspended goes on where it stopped, one that has lost the session is closed by its runner and sends nothing.
 */
export class OutputGate {
  readonly #ports: GatePorts;
  readonly #queue: QueuedFrame[] = [];
  #durable: Mark;
  #waiting = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(ports: GatePorts) {
    this.#ports = ports;
    this.#durable = 0;
  }

  /** Frames that have not left. */
  get pending(): number {
    return this.#queue.length;
  }

  /** Queues a frame behind everything the state holds now. */
  push(frame: Uint8Array): void {
    if (this.#closed) return;
    this.#queue.push({ frame, mark: this.#ports.head() });
    this.#pump();
  }

  /** Drops what has not left; nothing leaves any more. */
  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    clearTimeout(this.#retry);
  }

  #pump(): void {
    if (this.#waiting) return;
    for (let head = this.#queue[0]; head && !this.#closed; head = this.#queue[0]) {
      if (head.mark > this.#durable) {
        this.#wait(this.#queue.at(-1)?.mark ?? head.mark);
        return;
      }
      if (!this.#owned()) {
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => this.#pump(), OWNERSHIP_RETRY_MS);
        return;
      }
      this.#queue.shift();
      this.#ports.send(head.frame);
    }
  }

  #wait(mark: Mark): void {
    this.#waiting = true;
    this.#ports.durable(mark).then(
      () => {
        this.#waiting = false;
        this.#durable = Math.max(this.#durable, mark);
        this.#pump();
      },
      (error: unknown) => {
        this.close();
        this.#ports.fenced(error);
      },
    );
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
