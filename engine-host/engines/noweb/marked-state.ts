import type { Mark, SessionState, StateChange } from '../engine.ts';

/** How long changes that nothing waits for may linger, so that they ride along in another's record. Milliseconds. */
const LINGER_MS = 25;

/**
 * A session's state as the engine writes it: it tells apart what frames must wait for from what a crash may lose.
 * Everything else is the state itself.
 */
export class MarkedState {
  readonly #state: SessionState;
  #needed: Mark;
  #lingering: StateChange[] = [];
  #timer: NodeJS.Timeout | undefined;
  #hasty = false;

  constructor(state: SessionState) {
    this.#state = state;
    this.#needed = state.head;
  }

  /** Mark of the newest change that must be durable before anything leaves. */
  get needed(): Mark {
    return this.#needed;
  }

  get(key: string): Uint8Array | undefined {
    return this.#state.get(key);
  }

  keys(prefix: string): readonly string[] {
    return this.#state.keys(prefix);
  }

  append(changes: readonly StateChange[]): Mark {
    this.#needed = this.#state.append([...this.#takeLingering(), ...changes]);
    return this.#needed;
  }

  /** Changes that a crash may undo: nothing waits for them. */
  appendExpendable(changes: readonly StateChange[]): void {
    this.#state.append(changes);
  }

  /** As `appendExpendable`, but later: with the next other change or after a moment. Not visible before. */
  appendSoon(changes: readonly StateChange[]): void {
    if (this.#hasty) {
      this.#state.append(changes);
      return;
    }
    this.#lingering.push(...changes);
    this.#timer ??= setTimeout(() => this.#flush(), LINGER_MS);
  }

  durable(mark: Mark): Promise<void> {
    return this.#state.durable(mark);
  }

  /** Nothing lingers any more: the state may be closed at any time. */
  hasten(): void {
    this.#hasty = true;
    this.#flush();
  }

  #flush(): void {
    const changes = this.#takeLingering();
    if (changes.length > 0) this.#state.append(changes);
  }

  #takeLingering(): StateChange[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const changes = this.#lingering;
    this.#lingering = [];
    return changes;
  }
}
