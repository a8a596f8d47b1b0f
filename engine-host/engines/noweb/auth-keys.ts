import { AsyncLocalStorage } from 'node:async_hooks';
import {
  jidDecode,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStoreWithTransaction,
} from '@whiskeysockets/baileys';
import type { StateChange } from '../engine.ts';
import { GroupKeyMemory } from './group-key-memory.ts';
import { decodeKey, encodeKey, KEY_TYPES, type KeyType } from './key-codec.ts';
import { Lanes } from './lanes.ts';
import type { MarkedState } from './marked-state.ts';
import { PatchedValues } from './patched-values.ts';
import { pruneSenderKey, pruneSession, SessionTrial } from './signal-guards.ts';

/** What a Signal operation reads and changes in one piece. Everything else is written through at once. */
const SIGNAL_TYPES: ReadonlySet<KeyType> = new Set<KeyType>(['session', 'sender-key', 'pre-key', 'identity-key']);
/** What a crash may lose without harm: it is asked for, told or worked out again. */
const EXPENDABLE: ReadonlySet<string> = new Set<KeyType>([
  'sender-key-memory',
  'lid-mapping',
  'device-list',
  'tctoken',
  'app-state-sync-version',
]);
/** Large, and changed in a few places by every message. */
const PATCHED: ReadonlySet<string> = new Set<KeyType>(['session', 'sender-key']);
const OPERATIONS = 'signal';

/** The keys belong to a connection that has ended. What is done with them changes nothing any more. */
export class KeysClosedError extends Error {}

/** What else belongs into an operation's record, once its result is known. */
export type Alongside<T> = (result: T) => readonly StateChange[];

/**
 * The account's keys over its state. Baileys' own key transactions buffer, roll back and lock sending and receiving
 * under different names; here Signal operations of the whole account run one after the other, each leaves exactly one
 * record, and nothing that was used for an encryption is ever taken back.
 */
export class AuthKeys {
  readonly #state: MarkedState;
  readonly #patched: PatchedValues;
  readonly #operations = new Lanes();
  readonly #transactions = new Lanes();
  readonly #inTransaction = new AsyncLocalStorage<true>();
  /** Changes of the operation that holds the lock. A field, because the library's queues mix up async contexts. */
  #overlay: Map<string, Uint8Array | null> | undefined;
  #trial: SessionTrial | undefined;
  #closed = false;

  readonly groupMemory = new GroupKeyMemory();

  /** The object for Baileys itself: writes through, transactions are only locks. */
  readonly forBaileys: SignalKeyStoreWithTransaction = {
    get: async (type, ids) => this.#read(type, ids, undefined),
    set: async (data) => {
      const changes = changesOf(this.groupMemory.divert(data));
      const touchesSignal = Object.keys(data).some((type) => type !== 'pre-key' && isSignalType(type));
      if (touchesSignal) await this.#operations.run(OPERATIONS, () => this.#append(changes));
      else this.#append(changes);
    },
    isInTransaction: () => this.#inTransaction.getStore() === true,
    transaction: (work, key) => this.#transaction(work, key),
  };

  /** The object for the Signal repository, whose methods run inside `operate`. */
  readonly forSignal: SignalKeyStoreWithTransaction = {
    get: async (type, ids) => this.#read(type, ids, this.#overlay),
    set: async (data) => {
      const overlay = this.#overlay;
      for (const change of changesOf(data, this.#trial)) {
        if (overlay && isSignalKey(change.key)) overlay.set(change.key, change.value);
        else this.#append([change]);
      }
    },
    isInTransaction: () => this.#overlay !== undefined,
    // The operation around it holds the lock already. Looking up LIDs must not take it: look-ups are shared between
    // operations, and one that waits for another's would never end.
    transaction: (work) => work(),
  };

  constructor(state: MarkedState) {
    this.#state = state;
    this.#patched = new PatchedValues(state);
  }

  /** From now on nothing is appended any more. */
  close(): void {
    this.#closed = true;
  }

  /** The same person's other address, as far as it is known here: nobody is asked. */
  otherAddress(jid: string): string | undefined {
    const { user, server } = jidDecode(jid) ?? {};
    if (server !== 'lid' && server !== 's.whatsapp.net') return undefined;
    const id = server === 'lid' ? `${user}_reverse` : `${user}`;
    const { [id]: other } = this.#read('lid-mapping', [id], undefined);
    return other && `${other}@${server === 'lid' ? 's.whatsapp.net' : 'lid'}`;
  }

  /**
   * Runs one Signal operation alone; its changes become one record when it succeeds, none when it fails.
   * @throws KeysClosedError
   */
  operate<T>(work: () => Promise<T>, alongside?: Alongside<T>): Promise<T> {
    return this.#operations.run(OPERATIONS, () => this.#attempt(work, alongside));
  }

  /**
   * Runs a decryption once per session of the peer's record, showing one at a time: the library would advance all of
   * them before it knows which one fits, and so break the others.
   */
  operateBySession<T>(work: () => Promise<T>, alongside?: Alongside<T>): Promise<T> {
    return this.#operations.run(OPERATIONS, async () => {
      for (let index = 0; ; index += 1) {
        const trial = new SessionTrial(index);
        this.#trial = trial;
        try {
          return await this.#attempt(work, alongside);
        } catch (error) {
          if (index + 1 >= trial.sessions) throw error;
        } finally {
          this.#trial = undefined;
        }
      }
    });
  }

  async #attempt<T>(work: () => Promise<T>, alongside: Alongside<T> | undefined): Promise<T> {
    const overlay = new Map<string, Uint8Array | null>();
    this.#overlay = overlay;
    try {
      const result = await work();
      if (this.#closed) throw new KeysClosedError('the connection of these keys has ended');
      const changes = [...overlay].map(([key, value]) => ({ key, value }));
      this.#append(alongside ? [...changes, ...alongside(result)] : changes);
      return result;
    } finally {
      this.#overlay = undefined;
    }
  }

  #transaction<T>(work: () => Promise<T>, key: string): Promise<T> {
    if (this.#inTransaction.getStore()) return work();
    return this.#transactions.run(key, () => this.#inTransaction.run(true, work));
  }

  #read<T extends KeyType>(
    type: T,
    ids: readonly string[],
    overlay: ReadonlyMap<string, Uint8Array | null> | undefined,
  ): { [id: string]: SignalDataTypeMap[T] } {
    const found: { [id: string]: SignalDataTypeMap[T] } = {};
    for (const id of ids) {
      const key = stateKey(type, id);
      const changed = overlay?.get(key);
      const bytes = changed === undefined ? this.#patched.get(key) : changed;
      if (!bytes) continue;
      const value = decodeKey(type, bytes);
      found[id] = type === 'session' && overlay && this.#trial ? this.#trial.show(key, value) : value;
    }
    return found;
  }

  #append(changes: readonly StateChange[]): void {
    if (this.#closed || changes.length === 0) return;
    if (changes.every(({ key }) => EXPENDABLE.has(typeOf(key)))) this.#state.appendExpendable(changes);
    else this.#state.append(changes.flatMap((each) => (isPatched(each) ? this.#patched.set(each) : [each])));
  }
}

function isPatched({ key }: StateChange): boolean {
  return PATCHED.has(typeOf(key));
}

function typeOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

function stateKey(type: KeyType, id: string): string {
  return `${type}/${id}`;
}

function isSignalType(type: string): boolean {
  return KEY_TYPES.some((known) => known === type && SIGNAL_TYPES.has(known));
}

function isSignalKey(key: string): boolean {
  return isSignalType(typeOf(key));
}

function changesOf(data: SignalDataSet, trial?: SessionTrial): readonly StateChange[] {
  return KEY_TYPES.flatMap((type) => changesOfType(type, data[type], trial));
}

function changesOfType<T extends KeyType>(
  type: T,
  values: { [id: string]: SignalDataTypeMap[T] | null } | undefined,
  trial: SessionTrial | undefined,
): readonly StateChange[] {
  return Object.entries(values ?? {}).map(([id, value]) => {
    const key = stateKey(type, id);
    return { key, value: value === null ? null : store(type, key, value, trial) };
  });
}

function store<T extends KeyType>(
  type: T,
  key: string,
  value: SignalDataTypeMap[T],
  trial: SessionTrial | undefined,
): Uint8Array {
  if (type === 'session') return encodeKey(type, pruneSession(trial ? trial.merge(key, value) : value));
  if (type === 'sender-key' && value instanceof Uint8Array) return encodeKey('sender-key', pruneSenderKey(value));
  return encodeKey(type, value);
}
