import * as z from 'zod';
import { chatOfEvent } from '#shared/contracts/event-chat.ts';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import type { WaMessage } from '#shared/contracts/message.ts';
import { WHATSAPP } from '#shared/domain/chat-id.ts';
import type { EventFacts } from '#shared/domain/webhook-filter.ts';

const dataWithLid = z.object({ _data: z.object({ lid: z.string() }) });

/** What filters and the order of deliveries go by. */
export function eventFacts(envelope: EventEnvelope): EventFacts {
  const facts = factsOf(envelope);
  if (!isPerson(facts.chatId)) return facts;
  const { payload } = envelope;
  const { data } = dataWithLid.safeParse(envelope.event === 'message.revoked' ? envelope.payload.after : payload);
  // Where two write to each other no other LID is told.
  const chatLid = facts.chatId.endsWith('@lid') ? facts.chatId : data?._data.lid;
  return { ...facts, ...(chatLid !== undefined && { chatLid }) };
}

function isPerson(chatId: string | undefined): chatId is string {
  return chatId !== undefined && (chatId.endsWith('@c.us') || chatId.endsWith('@lid'));
}

function factsOf(envelope: EventEnvelope): EventFacts {
  const chatId = chatOfEvent(envelope);
  return { ...(chatId !== undefined && { chatId }), ...restOf(envelope) };
}

function restOf(envelope: EventEnvelope): EventFacts {
  switch (envelope.event) {
    case 'message':
    case 'message.any':
    case 'message.edited':
      return messageFacts(envelope.payload, envelope.me);
    case 'message.reaction':
    case 'message.media':
    case 'event.response':
    case 'event.response.failed':
      return { own: envelope.payload.fromMe };
    case 'poll.vote':
    case 'poll.vote.failed':
      return { own: envelope.payload.vote.fromMe };
    case 'message.revoked': {
      const { after } = envelope.payload;
      return after === null ? {} : { own: after.fromMe };
    }
    case 'message.waiting':
      return { message: { text: '', kind: 'unsupported', addressed: false } };
    case 'call.received':
    case 'call.accepted':
    case 'call.rejected':
      return { chatId: envelope.payload.from };
    default:
      return {};
  }
}

function messageFacts(message: WaMessage, me: EventEnvelope['me']): EventFacts {
  return {
    own: message.fromMe,
    message: { text: message.body, kind: kindOf(message), addressed: isAddressed(message, me) },
  };
}

function kindOf({ from, _data }: WaMessage): NonNullable<EventFacts['message']>['kind'] {
  if (from === WHATSAPP) return 'system';
  return _data?.type === 'unknown' ? 'unsupported' : 'written';
}

/** A group knows the account by its phone number or by its LID, and can name everybody at once. */
function isAddressed({ replyTo, _data }: WaMessage, me: EventEnvelope['me']): boolean {
  const own = [me?.id, me?.lid].filter((id) => id !== undefined && id !== null);
  const mentioned: readonly unknown[] = Array.isArray(_data?.mentions) ? _data.mentions : [];
  if (_data?.mentionsAll === true) return true;
  return own.some((id) => replyTo?.participant === id || mentioned.includes(id));
}
