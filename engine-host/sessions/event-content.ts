import type { EventBody, EventContent } from '#shared/contracts/events.ts';
import { mediaAt, messageAt } from '#shared/contracts/media-address.ts';

/** An event as everybody outside gets it: its media at addresses of the API at `baseUrl`. */
export function contentAt(baseUrl: string, body: EventBody): EventContent {
  switch (body.event) {
    case 'message':
    case 'message.any':
    case 'message.waiting':
      return { event: body.event, payload: messageAt(baseUrl, body.payload) };
    case 'message.edited': {
      const { editedMessageId, ...message } = body.payload;
      return { event: body.event, payload: { ...messageAt(baseUrl, message), editedMessageId } };
    }
    case 'message.revoked': {
      const { before, after } = body.payload;
      const payload = { after: after && messageAt(baseUrl, after), before: before && messageAt(baseUrl, before) };
      return { event: body.event, payload: { ...body.payload, ...payload } };
    }
    case 'message.media':
      return { event: body.event, payload: { ...body.payload, media: mediaAt(baseUrl, body.payload.media) } };
    default:
      return body;
  }
}
