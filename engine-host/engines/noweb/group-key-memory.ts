import { AsyncLocalStorage } from 'node:async_hooks';
import type { SignalDataSet, SignalKeyStore } from '@whiskeysockets/baileys';

type Memory = NonNullable<SignalDataSet['sender-key-memory']>;
type Members = NonNullable<Memory[string]>;

/**
 * Who has been given a group's sender key. Baileys notes it before the message is on the wire; if the message is then
 * lost, the members it notes cannot read the next one. So what a send notes is put aside until the server has it.
 */
export class GroupKeyMemory {
  readonly #send = new AsyncLocalStorage<Map<string, Members>>();
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
      if (send && members !== null) send.set(group, members);
      else written[group] = members;
    }
    return Object.keys(written).length > 0 ? { ...rest, 'sender-key-memory': written } : rest;
  }

  /**
   * Runs a send. @returns what to call when the server has the message: it writes what the send noted, unless the
   *   group was reset meanwhile
   */
  async during(send: () => Promise<unknown>): Promise<(keys: SignalKeyStore) => Promise<void>> {
    const noted = new Map<string, Members>();
    const before = new Map(this.#resets);
    await this.#send.run(noted, send);
    return async (keys) => {
      for (const [group, members] of noted) {
        if (this.#generation(group) !== (before.get(group) ?? 0)) continue;
        const { [group]: known } = await keys.get('sender-key-memory', [group]);
        await keys.set({ 'sender-key-memory': { [group]: { ...known, ...members } } });
      }
    };
  }

  #generation(group: string): number {
    return this.#resets.get(group) ?? 0;
  }
}
