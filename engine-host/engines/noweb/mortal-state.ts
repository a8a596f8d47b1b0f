import { NotOwnerError } from '#shared/domain/errors.ts';
import type { Mark, StateChange } from '../engine.ts';
import { MemorySessionState } from '../memory-session-state.ts';

interface Waiter {
  readonly mark: Mark;
  resolve(): void;
  reject(error: Error): void;
}

export interface MortalStateOptions {
  /** Milliseconds that one write to the disk takes. */
  readonly writeMs: number;
  /** Called after every append, before anything of it is on the disk. */
  readonly appended?: (mark: Mark) => void;
  /** Called when a write is on the disk, before anybody who waited for it hears of it. */
  readonly written?: (mark: Mark) => void;
}

/**
 * A session's state whose host can die: what was appended and not written by then is gone. Writes take time, one at a
 * time, with everything that has come meanwhile in the next. For tests.
 */
export class MortalState extends MemorySessionState {
  readonly #options: MortalStateOptions;
  readonly #disk: MemorySessionState;
  #pending: StateChange[] = [];
  #durable = 0;
  #waiters: Waiter[] = [];
  #writing: NodeJS.Timeout | undefined;
  #dead = false;
  /** Bytes of all changes, keys included. */
  bytes = 0;

  /** @param disk what an earlier host has left */
  constructor(disk: MemorySessionState, options: MortalStateOptions) {
    super();
    this.#options = options;
    this.#disk = disk;
    this.#durable = super.append(copyOf(disk));
  }

  override append(changes: readonly StateChange[]): Mark {
    const mark = super.append(changes);
    if (this.#dead) return mark;
    for (const { key, value } of changes) {
      this.#pending.push({ key, value: value && Uint8Array.from(value) });
      this.bytes += key.length + (value?.length ?? 0);
    }
    this.#write();
    this.#options.appended?.(mark);
    return mark;
  }

  override durable(mark: Mark = this.head): Promise<void> {
    if (mark <= this.#durable) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (this.#dead) reject(new NotOwnerError('the host is dead'));
      else this.#waiters.push({ mark, resolve, reject });
    });
  }

  /** The host dies. @returns what is on the disk */
  die(): MemorySessionState {
    this.#dead = true;
    clearTimeout(this.#writing);
    // Whoever waits learns nothing of it, as nobody does in a process that is gone.
    this.#waiters = [];
    return this.#disk;
  }

  #write(): void {
    if (this.#writing !== undefined) return;
    this.#writing = setTimeout(() => {
      const changes = this.#pending;
      const mark = this.head;
      this.#pending = [];
      this.#writing = setTimeout(() => {
        this.#writing = undefined;
        this.#disk.append(changes);
        this.#options.written?.(mark);
        if (this.#dead) return;
        this.#durable = mark;
        const ready = this.#waiters.filter((waiter) => waiter.mark <= mark);
        this.#waiters = this.#waiters.filter((waiter) => waiter.mark > mark);
        for (const { resolve } of ready) resolve();
        if (this.#pending.length > 0) this.#write();
      }, this.#options.writeMs);
    });
  }
}

function copyOf(state: MemorySessionState): readonly StateChange[] {
  return state.keys('').map((key) => ({ key, value: state.get(key) ?? null }));
}
