import type { WaMedia, WaMessage } from '../contracts/message.ts';
import type { MessageText } from '../ports/read-models.ts';

/**
 * Of a message or an edit as JSON, in which it takes no less room than in an item: of the 400 KB that an item may have, the rest is
 * for what others add to it.
 */
const MOST_BYTES = 256 * 1024;
/** More than the 65,536 characters that WhatsApp's apps send, of three bytes each. */
const BODY_BYTES = 200 * 1024;
const REACTION_BYTES = 256;
const LABEL_BYTES = 1_024;

/**
 * The message as it has room in a row. What apps do not send, a sender can: first the protobuf, which has all once more, is left out, then
 * what is around the text, then the text's end. `_data.omitted` says that something was.
 */
export function fittingMessage(message: WaMessage): WaMessage {
  if (fits(message)) return message;
  const { content: _, ...data } = message._data ?? {};
  const withoutContent = { ...message, _data: { ...data, omitted: true } };
  if (fits(withoutContent)) return withoutContent;
  const { type, pushName, lid } = data;
  return {
    ...message,
    body: beginningOf(message.body, BODY_BYTES),
    media: message.media && fittingMedia(message.media),
    location: null,
    vCards: [],
    replyTo: null,
    _data: { type, pushName: typeof pushName === 'string' ? fittingLabel(pushName) : null, lid, omitted: true },
  };
}

/** As `fittingMessage` for the text that a message has got. */
export function fittingEdit(edit: MessageText): MessageText {
  return fits(edit) ? edit : { body: beginningOf(edit.body, BODY_BYTES) };
}

export function fittingMedia({ mimetype, filename, ...media }: WaMedia): WaMedia {
  return { ...media, mimetype: mimetype && fittingLabel(mimetype), filename: filename && fittingLabel(filename) };
}

/** Of a name or the like. */
export function fittingLabel(label: string): string {
  return beginningOf(label, LABEL_BYTES);
}

/** Apps send one emoji. */
export function fittingReaction(text: string): string {
  return beginningOf(text, REACTION_BYTES);
}

function fits(value: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(value)) <= MOST_BYTES;
}

/** Ends with a whole character. */
function beginningOf(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes), { stream: true });
}
