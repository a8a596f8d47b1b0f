import { areJidsSameUser, proto, type WAMessage } from '@whiskeysockets/baileys';
import { toAccountEvent } from './account-sync.ts';
import { toCallEvent } from './calls.ts';
import { toGroupEvents } from './group-changes.ts';
import type { Happening } from './happening.ts';
import type { Emit, Inbound } from './inbound.ts';
import { unpackTraceparent } from './packed-traceparent.ts';
import { type OwnAddresses, rebuildMessage } from './rebuild-message.ts';
import { type ReceiptPorts, toAcks } from './receipts.ts';
import { toMediaEvent } from './stored-media.ts';

export interface ConversionPorts {
  readonly inbound: Pick<Inbound, 'accept' | 'inOrder'>;
  readonly receipts: ReceiptPorts;
}

/**
 * Makes the events of what was noted, in the order of its chat.
 * @param done called when all its events are published
 * @returns false when it cannot be converted
 */
export async function convert(
  happening: Happening,
  me: OwnAddresses,
  { inbound, receipts }: ConversionPorts,
  done: () => void,
): Promise<boolean> {
  switch (happening.kind) {
    case 'message':
      return happening.internal || inbound.accept(rebuildMessage(happening, me), 'app', done);
    case 'receipt': {
      const emitAll = async (emit: Emit) => {
        for (const event of await toAcks(happening, me, receipts)) emit(event);
      };
      return inbound.inOrder({ chats: [happening.attrs.from ?? ''], ids: happening.ids }, emitAll, done);
    }
    case 'group': {
      const emitAll = async (emit: Emit) => {
        for (const event of await toGroupEvents(happening, me, receipts.lookUpOther)) emit(event);
      };
      return inbound.inOrder({ chats: [happening.attrs.from ?? ''] }, emitAll, done);
    }
    case 'call': {
      const emitAll = async (emit: Emit) => emit(await toCallEvent(happening, receipts.lookUpOther));
      const { chat, from, phone } = happening;
      // The phone is the caller's; the chat is the caller's too unless a group calls.
      const caller = areJidsSameUser(chat, from) && phone !== undefined ? [phone] : [];
      return inbound.inOrder({ chats: [chat, ...caller] }, emitAll, done);
    }
    case 'account': {
      const { change } = happening;
      const emitAll = async (emit: Emit) => {
        const event = await toAccountEvent(happening, receipts.lookUpOther);
        if (event) emit(event);
      };
      return inbound.inOrder('chat' in change ? { chats: [change.chat] } : {}, emitAll, done);
    }
    case 'media': {
      const emitAll = async (emit: Emit) => {
        const event = await toMediaEvent(happening, receipts);
        if (event) emit(event);
      };
      return inbound.inOrder({ chats: [happening.chat], ids: [happening.id] }, emitAll, done);
    }
    case 'report':
      return inbound.accept(readReport(happening.content), 'app', done);
    case 'sent': {
      const { jid, id, timestamp, content, traceparent } = happening;
      const key = { remoteJid: jid, fromMe: true, id };
      const message = proto.Message.decode(content);
      const trace = traceparent && unpackTraceparent(traceparent);
      return inbound.accept({ key, message, messageTimestamp: timestamp }, 'api', done, trace);
    }
  }
}

function readReport(content: Uint8Array): WAMessage {
  const { key, message, messageTimestamp, pushName, messageStubType } = proto.WebMessageInfo.decode(content);
  return {
    key: key ?? {},
    ...(message && { message }),
    ...(messageTimestamp && { messageTimestamp }),
    ...(pushName && { pushName }),
    ...(messageStubType && { messageStubType }),
  };
}
