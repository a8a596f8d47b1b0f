import type { StateChange } from '../engine.ts';
import type { MarkedState } from './marked-state.ts';
import { packTraceparent, unpackTraceparent } from './packed-traceparent.ts';

const PREFIX = 'proof/';
/** Jobs under way are at most some dozens; the rest are those that nobody asks for any more. */
const MOST = 500;
/** Two times and a flag; the traceparent comes after them. */
const FIXED_BYTES = 9;

/** What is known of a message of ours that a job may bring again. Undefined fields: it may have left, nobody knows. */
interface Known {
  /** Seconds at which the server had it. */
  readonly timestamp: number | undefined;
  /** Its event is in the inbox, or was. */
  readonly told: boolean;
}

/**
 * Messages of ours that may have left, and those of which we know that the server has them. A job that comes again
 * after a crash is answered from here instead of being sent a second time.
 */
export class Proofs {
  readonly #state: MarkedState;
  readonly #known = new Map<string, Known>();

  constructor(state: MarkedState) {
    this.#state = state;
    const read = state.keys(PREFIX).map((key) => ({ id: key.slice(PREFIX.length), ...decode(state.get(key)) }));
    for (const { id, timestamp, told } of read.sort((a, b) => a.written - b.written)) {
      this.#known.set(id, { timestamp, told });
    }
  }

  /** Seconds at which the server had the message; undefined when nothing proves that it has it. */
  provenAt(id: string): number | undefined {
    return this.#known.get(id)?.timestamp;
  }

  isTold(id: string): boolean {
    return this.#known.get(id)?.told === true;
  }

  /** The message may have left, and its job is still to say that it is sent. */
  isAwaited(id: string): boolean {
    return this.#known.get(id)?.told === false;
  }

  /** That of the job that sends, or has sent, the message. */
  traceparentOf(id: string): string | undefined {
    return decode(this.#state.get(keyOf(id))).traceparent;
  }

  /**
   * The message is about to leave. Rides in the record of its ratchet step, which its frame waits for anyway.
   *
   * @param traceparent of its job: receipts come when that is forgotten, or at another host
   */
  leaving(id: string, traceparent: string | undefined): void {
    if (this.#known.has(id)) return;
    this.#state.appendSoon(this.#set(id, { timestamp: undefined, told: false }, traceparent));
  }

  /** A receipt names the message: counts for those that may have left and have not been answered. */
  receipt(id: string, timestamp: number): void {
    const known = this.#known.get(id);
    if (!known || known.timestamp !== undefined) return;
    this.#state.append(this.#set(id, { timestamp, told: false }, this.traceparentOf(id)));
  }

  /** @returns the changes that say that the server has the message and that its event is in the inbox */
  told(id: string, timestamp: number, traceparent: string | undefined): readonly StateChange[] {
    return this.#set(id, { timestamp, told: true }, traceparent);
  }

  #set(id: string, known: Known, traceparent: string | undefined): readonly StateChange[] {
    this.#known.delete(id);
    this.#known.set(id, known);
    const changes: StateChange[] = [{ key: keyOf(id), value: encode(known, traceparent) }];
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST && oldest !== undefined) {
      this.#known.delete(oldest);
      changes.push({ key: keyOf(oldest), value: null });
    }
    return changes;
  }
}

const keyOf = (id: string) => `${PREFIX}${id}`;

function encode({ timestamp, told }: Known, traceparent: string | undefined): Uint8Array {
  const value = Buffer.alloc(FIXED_BYTES);
  value.writeUInt32LE(Math.floor(Date.now() / 1000));
  value.writeUInt32LE(timestamp ?? 0, 4);
  value[8] = told ? 1 : 0;
  return traceparent === undefined ? value : Buffer.concat([value, packTraceparent(traceparent)]);
}

function decode(
  value: Uint8Array | undefined,
): Known & { readonly written: number; readonly traceparent: string | undefined } {
  const bytes = Buffer.from(value ?? Buffer.alloc(FIXED_BYTES));
  const rest = bytes.subarray(FIXED_BYTES);
  return {
    written: bytes.readUInt32LE(),
    timestamp: bytes.readUInt32LE(4) || undefined,
    told: bytes[8] === 1,
    traceparent: rest.length === 0 ? undefined : unpackTraceparent(rest),
  };
}
