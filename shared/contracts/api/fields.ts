import * as z from 'zod';
import { CHAT_ID_RULE, type ChatId, parseChatId, takesMessages } from '../../domain/chat-id.ts';
import { bareMessageId, isBareMessageId, type MessageKey, parseMessageId } from '../../domain/message-id.ts';
import { sessionNameSchema } from '../session.ts';

/** Fields that many requests share. They accept what WAHA's clients send and give canonical values. */

/** Session in a body or a query; clients may leave it out. */
export const sessionField = sessionNameSchema.prefault('default').meta({ description: 'Name of the session.' });
/** Session in a path. */
export const sessionParam = sessionNameSchema.meta({ description: 'Name of the session.' });

/** A chat: an id, a wire JID or a bare phone number. */
export const chatIdField = z
  .string()
  .max(100)
  .transform((text, context): ChatId => {
    const chat = parseChatId(text);
    if (chat !== undefined) return chat;
    context.addIssue({ code: 'custom', message: `must be ${CHAT_ID_RULE}`, input: text });
    return z.NEVER;
  })
  .meta({ description: `A chat: ${CHAT_ID_RULE}.`, example: '4915112345678@c.us' });

/** A chat that something is to be sent to. */
export const recipientField = chatIdField.refine(takesMessages, {
  error: 'must be a chat that takes messages: nobody reads what is sent to WhatsApp itself',
});

/** A chat, or `all` for every chat of the session. */
export const chatIdOrAllField = z
  .string()
  .max(100)
  .transform((text, context): ChatId | 'all' => {
    if (text === 'all') return 'all';
    const chat = parseChatId(text);
    if (chat !== undefined) return chat;
    context.addIssue({ code: 'custom', message: `must be "all", or ${CHAT_ID_RULE}`, input: text });
    return z.NEVER;
  })
  .meta({ description: 'A chat, or `all`.' });

/** A phone number in international form, as digits. */
export const phoneField = z
  .string()
  .max(100)
  .transform((text, context): string => {
    const chat = parseChatId(text);
    if (chat?.endsWith('@c.us') && takesMessages(chat)) return chat.slice(0, -'@c.us'.length);
    context.addIssue({ code: 'custom', message: 'must be a phone number in international form', input: text });
    return z.NEVER;
  })
  .meta({ description: 'Phone number in international form.', example: '4915112345678' });

/** A message named by a client: always its bare id, and the rest where the long form was given. */
export interface NamedMessage {
  readonly id: string;
  readonly key?: MessageKey;
}

export const messageIdField = z
  .string()
  .max(400)
  .transform((text, context): NamedMessage => {
    const key = parseMessageId(text);
    if (key !== undefined) return { id: key.id, key };
    const id = bareMessageId(text);
    if (id !== undefined) return { id };
    context.addIssue({
      code: 'custom',
      message: 'must be a message id: {true|false}_{chatId}_{ID}, or the bare ID',
      input: text,
    });
    return z.NEVER;
  })
  .meta({ description: 'Message id, long or bare.', example: 'false_4915112345678@c.us_3EB0C767D71D8EC3A1' });

/** Id that the message is to carry on the wire. */
export const presetIdField = z
  .string()
  .refine(isBareMessageId, { error: 'must be a bare message id: 6 to 128 characters of A-Z a-z 0-9 . -' })
  .nullish()
  .meta({
    description:
      'Id for the new message; made by the server when missing. To be used once: what is known of a message is known by its id, so a second one under it may be taken for the first, and recipients drop it.',
  });

/** Whole number in a query. */
export function queryInteger(minimum: number, maximum: number) {
  return z.coerce.number().int().min(minimum).max(maximum);
}

/** Boolean in a query. */
export const queryBoolean = z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] }).meta({ type: 'boolean' });

/** List in a query: repeated, or separated by commas. */
export const queryList = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (Array.isArray(value) ? value : value.split(',')).map((item) => item.trim()).filter(Boolean));

export const sortOrderField = z.enum(['asc', 'desc']);
export const nullishBoolean = z.boolean().nullish();

const NO_EFFECT = 'Accepted for WAHA’s clients; has no effect yet.';
/** Options in a body that are accepted and do nothing. */
export const unusedBoolean = nullishBoolean.meta({ description: NO_EFFECT });
/** Options in a query that are accepted and do nothing. */
export const unusedQueryBoolean = queryBoolean.optional().meta({ type: 'boolean', description: NO_EFFECT });
export const unusedQueryList = queryList.optional().meta({ description: NO_EFFECT });
/** Asks for media to be made playable. */
export const convertField = nullishBoolean.meta({
  description:
    'Conversion is not built yet: with true, media whose `mimetype` says that it needs it is refused with 422.',
});
/** Coordinates and the like, which some clients send as text. */
const numberField = z.union([z.number(), z.string().trim().min(1).pipe(z.coerce.number<string>())]);

/**
 * Degrees up to `most` in both directions, to nine places: a tenth of a millimetre, and no number that is too small for a table.
 */
export const degrees = (most: number) =>
  numberField.pipe(
    z
      .number()
      .min(-most)
      .max(most)
      .overwrite((value) => Number(value.toFixed(9)) + 0),
  );
