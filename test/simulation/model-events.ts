import type { EngineEvent } from '#engine-host/engines/engine.ts';
import type { Happening } from '#engine-host/engines/noweb/happening.ts';
import { eventOfSend, eventsOfReceived } from '#engine-host/engines/scripted/scripted-events.ts';
import { type ChatId, parseChatId } from '#shared/domain/chat-id.ts';
import { eventId } from '#shared/domain/event-id.ts';
import { ACKS, ackName } from '#shared/domain/message-ack.ts';
import type { JournalSession } from '#shared/ports/journal-store.ts';

/** What a happening becomes. The only place that knows, for the engine and for the books. */
export function eventsOf(happening: Happening, me: string): readonly EngineEvent[] {
  switch (happening.kind) {
    case 'message': {
      const { id = '', from = '', t } = happening.attrs;
      const text = Buffer.from(happening.parts[0]?.plain ?? []).toString();
      return eventsOfReceived({ id, from: chatOf(from), text, timestamp: Number(t) }, me, Buffer.from(text)).slice(
        0,
        1,
      );
    }
    case 'sent': {
      const { jid, id, timestamp, content } = happening;
      const command = { type: 'sendText', chatId: chatOf(jid), text: Buffer.from(content).toString() } as const;
      return [eventOfSend(command, { messageId: id, content, me, timestamp })];
    }
    case 'receipt': {
      const { from = '', t } = happening.attrs;
      return happening.ids.map((messageId) => {
        const id = `true_${from}_${messageId}`;
        const ack = ACKS.DEVICE;
        const payload = { id, from: me, to: from, participant: null, fromMe: true, ack, ackName: ackName(ack) };
        return { body: { event: 'message.ack', payload }, key: `${id}_${ack}`, timestamp: Number(t) * 1000 };
      });
    }
    case 'report':
    case 'group':
    case 'call':
    case 'account':
    case 'media':
      return [];
  }
}

export function idOf(session: JournalSession, event: EngineEvent): string {
  return eventId(session, event.body.event, event.timestamp, event.key);
}

export function chatOf(text: string): ChatId {
  const chat = parseChatId(text);
  if (chat === undefined) throw new Error(`no chat id: ${text}`);
  return chat;
}
