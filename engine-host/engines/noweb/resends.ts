import { proto, type WAMessageKey } from '@whiskeysockets/baileys';
import type { ChatId } from '#shared/domain/chat-id.ts';
import type { EngineContext } from '../engine.ts';
import { ExpiringCache } from './expiring-cache.ts';
import { jidToChatId, type LookUpOther, resolveAddress } from './ids.ts';

const KEPT = 512;
/** They are asked for within seconds, if at all. */
const KEPT_MS = 5 * 60_000;

export interface ResendsPorts {
  readonly context: Pick<EngineContext, 'sentContent'>;
  readonly lookUpOther: LookUpOther;
}

interface Sent {
  readonly chatId: ChatId | undefined;
  readonly content: Uint8Array;
}

/**
 * What goes out again when a device could not read it. Whoever asks names the message by an id, and any contact may ask:
 * what others have sent would become ours, and what we have sent elsewhere theirs. So only a message of ours goes, and
 * only into the chat it was sent to.
 */
export class Resends {
  readonly #ports: ResendsPorts;
  /** The latest, which the read model may not have yet. */
  readonly #latest = new ExpiringCache(KEPT, KEPT_MS);

  constructor(ports: ResendsPorts) {
    this.#ports = ports;
  }

  leaving(jid: string, messageId: string, content: Uint8Array): void {
    this.#latest.set<Sent>(messageId, { chatId: jidToChatId(jid), content });
  }

  /** @returns undefined for what is not to go out there */
  async find({ id, remoteJid }: WAMessageKey): Promise<proto.IMessage | undefined> {
    const chat = await resolveAddress(unhosted(remoteJid), undefined, this.#ports.lookUpOther);
    if (!id || !chat) return undefined;
    const chatIds = chat.lid && chat.lid !== chat.id ? [chat.id, chat.lid] : [chat.id];
    const latest = this.#latest.get<Sent>(id);
    const content =
      latest?.chatId && chatIds.includes(latest.chatId)
        ? latest.content
        : await this.#ports.context.sentContent(id, chatIds);
    return content && proto.Message.decode(content);
  }
}

/** A device that Meta hosts asks under a server name of its own. */
function unhosted(jid: string | null | undefined): string | null | undefined {
  return jid?.replace(/@hosted\.lid$/, '@lid').replace(/@hosted$/, '@s.whatsapp.net');
}
