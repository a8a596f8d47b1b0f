import * as z from 'zod';

export const mediaSchema = z
  .object({
    /** In rows and from engines the path alone, `/api/files/…`: whoever shows it knows the address it stands behind. */
    url: z.string().nullable().meta({
      description:
        'Address of the file at the HTTP API, to be opened with a key (`X-Api-Key`) that may read the session; null when it was not downloaded.',
    }),
    mimetype: z.string().nullable(),
    filename: z.string().nullable(),
    /** Where the file is; there whenever `url` is. */
    s3: z.object({ Bucket: z.string(), Key: z.string() }).nullish(),
    error: z.string().nullable(),
  })
  .meta({ id: 'WAMedia' });
export type WaMedia = z.infer<typeof mediaSchema>;

/** Which message it is, whose, and where. `timestamp` is in seconds; `participant` is who wrote it in a group. */
export const messagePlace = {
  id: z.string(),
  timestamp: z.number(),
  from: z.string(),
  fromMe: z.boolean(),
  source: z.enum(['app', 'api']),
  to: z.string(),
  participant: z.string().nullable(),
} as const;

/** A message as it is stored and as engines make it: WAHA's WAMessage, with paths in place of addresses. `timestamp` is in seconds. */
export const waMessageSchema = z.object({
  ...messagePlace,
  body: z.string(),
  hasMedia: z.boolean(),
  media: mediaSchema.nullable(),
  ack: z.number(),
  ackName: z.string(),
  author: z.string().nullish(),
  location: z
    .object({
      latitude: z.string(),
      longitude: z.string(),
      live: z.boolean().optional(),
      name: z.string().nullish(),
      address: z.string().nullish(),
      url: z.string().nullish(),
      description: z.string().nullish(),
      thumbnail: z.string().nullish(),
    })
    .nullish(),
  vCards: z.array(z.string()),
  replyTo: z
    .object({
      id: z.string(),
      participant: z.string().nullish(),
      body: z.string().nullish(),
      hasMedia: z.boolean().optional(),
      media: mediaSchema.nullish(),
      /** `lid` of the participant, where it is known. */
      _data: z.record(z.string(), z.unknown()).optional(),
    })
    .nullish(),
  /**
   * What the engine knows beyond WAHA's fields: `lid`, `pushName`, `type`, `mentions` (chat ids, by phone number where it is known),
   * `mentionedLids`, `mentionsAll` (everybody in the group), `content` (protobuf, base64; not in lists), `omitted` (a row had no room for
   * all of it)…
   */
  _data: z.record(z.string(), z.unknown()).optional(),
});
export type WaMessage = z.infer<typeof waMessageSchema>;

/** A message as clients see it, in events and in answers: its media have addresses. */
export const messageSchema = waMessageSchema
  .extend({
    // Events that were told before there was this field are still in logs and archives.
    mediaUrl: z.string().default('').meta({
      description: 'The same as `media.url`, for old clients; empty where there is none.',
      deprecated: true,
    }),
  })
  .meta({ id: 'WAMessage' });
export type MessageView = z.infer<typeof messageSchema>;
