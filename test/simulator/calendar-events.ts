import { proto } from '@whiskeysockets/baileys';
import { nowSeconds } from './accounts.ts';
import { type AnswerNames, messageSecret, sealAnswer } from './sealed-answers.ts';

const { EventResponseType } = proto.Message.EventResponseMessage;

/** Whether somebody comes to a calendar event, and with how many more. */
export interface EventResponse {
  readonly response: 'GOING' | 'NOT_GOING' | 'MAYBE';
  readonly extraGuestCount: number;
}

/** A new calendar event, tomorrow, with the secret that the responses to it are encrypted with. */
export function calendarEventContent({ name }: { readonly name: string }) {
  return { type: 'event', message: { eventMessage: { name, startTime: nowSeconds() + 86_400 }, ...messageSecret() } };
}

/** Encrypts a response to a calendar event. @throws NotFound when the message is none. */
export function sealEventResponse(
  message: proto.IMessage,
  names: AnswerNames,
  { response, extraGuestCount }: EventResponse,
) {
  const plain = { response: EventResponseType[response], timestampMs: Date.now(), extraGuestCount };
  return sealAnswer(message, names, 'Event Response', proto.Message.EventResponseMessage.encode(plain).finish());
}
