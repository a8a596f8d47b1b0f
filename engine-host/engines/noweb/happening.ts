import * as z from 'zod';
import { labelSchema } from '#shared/contracts/event-payloads.ts';
import { mediaSchema } from '#shared/contracts/message.ts';
import { keptNodeSchema } from './kept-node.ts';
import { type Packable, pack, unpack } from './packed-json.ts';

/**
 * What happened on WhatsApp and is kept until the bus has its events, in the words it came in: events are made from
 * this, before and after a crash. Only phone numbers behind LIDs are looked up besides, and those have no part in an
 * event's key (`givenAddress`). So what is told again has the id of the first time, even where a payload knows more. Only a
 * vote or an answer that could not be read may be readable by then, which is another event.
 */
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
const attributes = z.record(z.string(), z.string());

const partSchema = z.object({
  /** Of the ciphertext, see `shortHash`. */
  hash: bytes,
  /** The protobuf `Message`; null where it could not be decrypted. */
  plain: bytes.nullable(),
});

const messageSchema = z.object({
  kind: z.literal('message'),
  /** The stanza's. */
  attrs: attributes,
  /** What has been decrypted so far, in the stanza's order. */
  parts: z.array(partSchema),
  /** How many parts the stanza has. */
  of: z.number().int(),
  /** Between the account's own devices: has an effect, and makes no event. */
  internal: z.boolean(),
});

const happeningSchema = z.discriminatedUnion('kind', [
  messageSchema,
  /** A receipt for messages of ours. */
  z.object({
    kind: z.literal('receipt'),
    attrs: attributes,
    ids: z.array(z.string()),
    /** Of the messages' jobs, packed, in the order of `ids`. */
    traceparents: z.array(bytes.nullable()).optional(),
  }),
  /** A message that came in the clear, as a `WebMessageInfo`. */
  z.object({ kind: z.literal('report'), content: bytes }),
  /** A message of ours that the server has taken. `timestamp` in seconds; `traceparent` of its job, packed. */
  z.object({
    kind: z.literal('sent'),
    jid: z.string(),
    id: z.string(),
    timestamp: z.number(),
    content: bytes,
    traceparent: bytes.optional(),
  }),
  /** Media of an earlier message is in the bucket now. `at` in milliseconds. */
  z.object({
    kind: z.literal('media'),
    at: z.number(),
    chat: z.string(),
    id: z.string(),
    fromMe: z.boolean(),
    participant: z.string().optional(),
    media: mediaSchema,
  }),
  /** A change of a group. `attrs` are the notification's. */
  z.object({ kind: z.literal('group'), attrs: attributes, change: keptNodeSchema }),
  /** A step of a call. `timestamp` in seconds; `video` and `group` as its offer has them. */
  z.object({
    kind: z.literal('call'),
    id: z.string(),
    status: z.enum(['offer', 'accept', 'reject', 'timeout', 'terminate']),
    from: z.string(),
    phone: z.string().optional(),
    chat: z.string(),
    timestamp: z.number(),
    video: z.boolean(),
    group: z.boolean(),
  }),
  /** What the owner has changed on the phone. `at` in milliseconds: when it was heard of. */
  z.object({
    kind: z.literal('account'),
    at: z.number(),
    change: z.discriminatedUnion('type', [
      z.object({ type: z.literal('archive'), chat: z.string(), archived: z.boolean() }),
      z.object({ type: z.literal('label'), label: labelSchema, deleted: z.boolean() }),
      z.object({
        type: z.literal('label-chat'),
        labelId: z.string(),
        chat: z.string(),
        added: z.boolean(),
        label: labelSchema.nullable(),
      }),
    ]),
  }),
]);

export type Happening = z.infer<typeof happeningSchema>;
export type GroupChange = Extract<Happening, { kind: 'group' }>;
export type AccountChange = Extract<Happening, { kind: 'account' }>;
export type StoredMedia = Extract<Happening, { kind: 'media' }>;
export type CallStep = Extract<Happening, { kind: 'call' }>;
export type ReceivedMessage = z.infer<typeof messageSchema>;

/** Nothing of it is still to come. */
export function isComplete(happening: Happening): boolean {
  return happening.kind !== 'message' || happening.parts.length >= happening.of;
}

export function encodeHappening(happening: Happening): Uint8Array {
  const packable: Packable = happening;
  return pack(packable);
}

/** @throws ZodError | RangeError when the bytes are something else */
export function decodeHappening(value: Uint8Array): Happening {
  return happeningSchema.parse(unpack(value));
}
