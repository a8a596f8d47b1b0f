import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { StateChange } from '../engine.ts';
import type { MarkedState } from './marked-state.ts';

/** Behind the key of the value that a patch belongs to; no Signal address has it. */
const SUFFIX = '~';
/** Patches are all against one value, so they grow with the distance from it; from half of it on it is written anew. */
const WORTH_IT = 0.5;
/** Values at hand as they are now: peers that are written to or heard of at this time. */
const AT_HAND = 64;

/**
 * Values of which each change replaces a few dozen of a thousand bytes, as a Signal session at every message: the state
 * gets the difference to the last value that was written whole.
 */
export class PatchedValues {
  readonly #state: Pick<MarkedState, 'get' | 'keys'>;
  readonly #current = new Map<string, Uint8Array>();

  constructor(state: Pick<MarkedState, 'get' | 'keys'>) {
    this.#state = state;
  }

  /** Keys of values that begin with `prefix`. */
  keys(prefix: string): readonly string[] {
    return this.#state.keys(prefix).filter((key) => !key.endsWith(SUFFIX));
  }

  get(key: string): Uint8Array | undefined {
    const whole = this.#state.get(key);
    const patch = this.#state.get(key + SUFFIX);
    if (!whole || !patch) return whole;
    const current = this.#current.get(key) ?? zstdDecompressSync(patch, { dictionary: whole });
    this.#keep(key, current);
    return current;
  }

  /** @returns the changes of state that give the key this value */
  set({ key, value }: StateChange): readonly StateChange[] {
    const whole = this.#state.get(key);
    const unpatched = this.#state.get(key + SUFFIX) ? [{ key: key + SUFFIX, value: null }] : [];
    this.#current.delete(key);
    if (!whole || !value) return [{ key, value }, ...unpatched];
    const patch = zstdCompressSync(value, { dictionary: whole });
    if (patch.length > value.length * WORTH_IT) return [{ key, value }, ...unpatched];
    this.#keep(key, value);
    return [{ key: key + SUFFIX, value: patch }];
  }

  #keep(key: string, value: Uint8Array): void {
    this.#current.delete(key);
    this.#current.set(key, value);
    const [oldest] = this.#current.keys();
    if (this.#current.size > AT_HAND && oldest !== undefined) this.#current.delete(oldest);
  }
}
