import type { EventEmitter } from 'node:events';
import type { BinaryNode } from '@whiskeysockets/baileys';

/** What hears of stanzas before Baileys handles, and therefore before it acknowledges, them. */
export interface StanzaListeners {
  message(stanza: BinaryNode): void;
  receipt(stanza: BinaryNode): void;
  notification(stanza: BinaryNode): void;
  call(stanza: BinaryNode): void;
  /** The server's answer to a message of ours. */
  answer(stanza: BinaryNode): void;
}

/**
 * Puts listeners in front of Baileys' own.
 * @param failed hears when one of them throws: what it should have kept is not kept, so nothing may be acknowledged
 */
export function listenFirst(stanzas: EventEmitter, listeners: StanzaListeners, failed: (error: unknown) => void): void {
  const first = (name: string, listen: (stanza: BinaryNode) => void): void => {
    stanzas.prependListener(name, (stanza: BinaryNode) => {
      try {
        listen(stanza);
      } catch (error) {
        failed(error);
      }
    });
  };
  first('CB:message', (stanza) => listeners.message(stanza));
  first('CB:receipt', (stanza) => listeners.receipt(stanza));
  first('CB:notification', (stanza) => listeners.notification(stanza));
  first('CB:call', (stanza) => listeners.call(stanza));
  first('CB:ack,class:message', (stanza) => listeners.answer(stanza));
}
