import type { StoredObject } from '../ports/whole-installation.ts';

/** An entry of a listing of versions; without `bytes` it is the mark of a deletion. */
export interface VersionEntry {
  readonly key: string;
  readonly version: string;
  /** Milliseconds since 1970; S3 tells whole seconds. */
  readonly at: number;
  readonly bytes?: number;
}

const SECOND = 1_000;

/**
 * Finds in a listing of versions what was in a bucket at a time. A deletion in the same second is taken to have come after it: an
 * object too many does no harm, one too few is somebody's state.
 */
export class ObjectVersions {
  readonly #at: number;
  readonly #newest = new Map<string, { object?: VersionEntry; deletion?: VersionEntry }>();

  /** @param at milliseconds since 1970 */
  constructor(at: number) {
    this.#at = at;
  }

  add(entry: VersionEntry): void {
    const isDeletion = entry.bytes === undefined;
    if (entry.at > (isDeletion ? this.#at - SECOND : this.#at)) return;
    const known = this.#newest.get(entry.key) ?? {};
    const kind = isDeletion ? 'deletion' : 'object';
    if (entry.at > (known[kind]?.at ?? Number.NEGATIVE_INFINITY)) known[kind] = entry;
    this.#newest.set(entry.key, known);
  }

  /** Takes what there was of all keys that have been added. @param but versions of this one are still to come */
  take(but?: string): readonly StoredObject[] {
    const found: StoredObject[] = [];
    for (const [key, { object, deletion }] of this.#newest) {
      if (key === but) continue;
      this.#newest.delete(key);
      if (object?.bytes === undefined || (deletion?.at ?? Number.NEGATIVE_INFINITY) > object.at) continue;
      found.push({ key, bytes: object.bytes, version: object.version });
    }
    return found;
  }
}
