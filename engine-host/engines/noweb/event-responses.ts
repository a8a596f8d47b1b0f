import { decryptEventResponse, proto, type WAMessageKey } from '@whiskeysockets/baileys';
import type { EventResponse } from '#shared/contracts/event-payloads.ts';
import { toNumber } from './msgconv/content.ts';
import type { SealedEventResponse } from './msgconv/event-response.ts';
import { type AnswerPorts, openAnswer } from './sealed-answers.ts';

const { EventResponseType } = proto.Message.EventResponseMessage;
const NAMES: Readonly<Record<number, EventResponse['response']>> = {
  [EventResponseType.GOING]: 'GOING',
  [EventResponseType.NOT_GOING]: 'NOT_GOING',
  [EventResponseType.MAYBE]: 'MAYBE',
};

/**
 * Whether somebody comes to what a calendar event announces.
 * @param key the response's own
 * @returns undefined when it cannot be read, see `openAnswer`
 */
export async function readEventResponse(
  { about, sealed }: SealedEventResponse,
  key: WAMessageKey,
  ports: AnswerPorts,
): Promise<EventResponse | undefined> {
  const opened = await openAnswer(about, key, ports, ({ id, author, answerer, secret }) =>
    decryptEventResponse(sealed, {
      eventMsgId: id,
      eventCreatorJid: author,
      responderJid: answerer,
      eventEncKey: secret,
    }),
  );
  if (!opened) return undefined;
  const { response, timestampMs, extraGuestCount } = opened.answer;
  return {
    response: NAMES[response ?? EventResponseType.UNKNOWN] ?? 'UNKNOWN',
    timestampMs: toNumber(timestampMs),
    extraGuestCount: extraGuestCount ?? 0,
  };
}
