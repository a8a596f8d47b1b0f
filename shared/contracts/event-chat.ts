import type { EventBody } from './events.ts';

/** The chat in which an event happened, by its addresses and not by ids of messages; undefined for those that belong to none. */
export function chatOfEvent(body: EventBody): string | undefined {
  switch (body.event) {
    case 'message':
    case 'message.any':
    case 'message.waiting':
    case 'message.edited':
    case 'message.reaction':
    case 'message.ack':
    case 'message.ack.group':
    case 'message.media':
    case 'event.response':
    case 'event.response.failed':
      return otherSide(body.payload);
    case 'message.revoked':
      return body.payload.chatId;
    case 'poll.vote':
    case 'poll.vote.failed':
      return otherSide(body.payload.vote);
    case 'presence.update':
    case 'chat.archive':
      return body.payload.id;
    case 'label.chat.added':
    case 'label.chat.deleted':
      return body.payload.chatId;
    case 'group.v2.join':
    case 'group.v2.leave':
    case 'group.v2.participants':
    case 'group.v2.update':
      return body.payload.group.id;
    case 'session.status':
    case 'label.upsert':
    case 'label.deleted':
    case 'call.received':
    case 'call.accepted':
    case 'call.rejected':
    case 'engine.event':
      return undefined;
  }
}

function otherSide({ fromMe, from, to }: { readonly fromMe: boolean; readonly from: string; readonly to: string }) {
  return fromMe ? to : from;
}
