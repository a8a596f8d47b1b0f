import { AsyncLocalStorage } from 'node:async_hooks';
import type { SignalDataSet, SignalKeyStore } from '@whiskeysockets/baileys';

type Memory = NonNullable<SignalDataSet['sender-key-memory']>;
type Members = NonNullable<Memory[string]>;

interface Send {
  readonly noted: Map<string, Members>;
  /** Devices that can be given nothing. */
  readonly refused: string[];
}

/** Devices got no session because their keys are not signed by them. Another try goes on without them. */
export class KeysRefusedError extends Error {}

/**
 * Who has been given a group's sender key. Baileys notes it before the message is on the wire; if the message is then
 * lost, the members it notes cannot read the next one. So what a send notes is put aside until the server has it.
 */
export class GroupKeyMemory {
  readonly #send = new AsyncLocalStorage<Send>();
  /** Grows when a group's memory is reset, which overtakes what sends under way have put aside. */
  readonly #resets = new Map<string, number>();

  /** Takes what the current send notes out of `data`; everything else is left to be written. */
  divert(data: SignalDataSet): SignalDataSet {
    const { 'sender-key-memory': memory, ...rest } = data;
    if (!memory) return data;
    const send = this.#send.getStore();
    const written: Memory = {};
    for (const [group, members] of Object.entries(memory)) {
      if (members === null) this.#resets.set(group, this.#generation(group) + 1);
      if (send && members !== null) send.noted.set(group, members);
      else written[group] = members;
    }
    return Object.keys(written).length > 0 ? { ...rest, 'sender-key-memory': written } : rest;
  }

  /** A device, under all its addresses, can be given nothing in the current send. */
  refuse(addresses: readonly string[]): void {
    this.#send.getStore()?.refused.push(...addresses);
  }

  /**
   * Runs a send. @returns what to call when the server has the message: it writes what the send noted, unless the
   *   group was reset meanwhile
   * @throws KeysRefusedError when the send to a group failed and devices were refused in it: Baileys sends nothing at all if
   *   the key is new to nobody else. They are noted, so that they are not waited for again; each asks when it misses the key
   */
  async during(keys: SignalKeyStore, jid: string, send: () => Promise<unknown>): Promise<() => Promise<void>> {
    const current: Send = { noted: new Map(), refused: [] };
    const before = new Map(this.#resets);
    try {
      await this.#send.run(current, send);
    } catch (cause) {
      if (current.refused.length === 0 || !jid.endsWith('@g.us')) throw cause;
      await add(keys, jid, Object.fromEntries(current.refused.map((address) => [address, true])));
      throw new KeysRefusedError('devices of the group were refused', { cause });
    }
    return async () => {
      for (const [group, members] of current.noted) {
        if (this.#generation(group) === (before.get(group) ?? 0)) await add(keys, group, members);
      }
    };
  }

  #generation(group: string): number {
    return this.#resets.get(group) ?? 0;
  }
}

async function add(keys: SignalKeyStore, group: string, members: Members): Promise<void> {
  const { [group]: known } = await keys.get('sender-key-memory', [group]);
  await keys.set({ 'sender-key-memory': { [group]: { ...known, ...members } } });
}
