import * as z from 'zod';
import { isKeyId } from '../../domain/api-key.ts';
import { iamPrincipal } from '../../domain/iam-principal.ts';
import { auditEntrySchema } from '../audit.ts';
import { KEY_ACTIONS } from '../rows.ts';
import { sessionNameSchema } from '../session.ts';
import { queryInteger } from './fields.ts';
import { defineOperations } from './operation.ts';

const DAY_SECONDS = 24 * 60 * 60;
const LONGEST_OVERLAP_DAYS = 30;
const LATEST = 8_640_000_000_000_000;

const flags = z.object(Object.fromEntries(KEY_ACTIONS.map((action) => [action, z.boolean()])));
const actionsSchema = flags.meta({ id: 'SessionActions' });
const actionsField = flags.partial().strict().nullable().meta({
  description:
    'What it may do; what is not named it may not. null: everything but `delete`. `read` includes `media`, the download of received media.',
});
const time = z.number().int().min(0).max(LATEST);

/** A key as clients see it: WAHA's fields, then our own. */
export const apiKeySchema = z
  .object({
    id: z.string(),
    key: z.string().meta({
      description:
        'The key itself only where it has just been made, and of the two kinds that can be had again; otherwise its beginning and `***`. Empty for an IAM principal.',
    }),
    isActive: z.boolean(),
    isAdmin: z.boolean(),
    session: z.string().nullable(),
    actions: actionsSchema,
    name: z.string().nullable(),
    /** IAM user or role. */
    principal: z.string().nullable(),
    plan: z.string().nullable(),
    /** Milliseconds since 1970, as the other times. */
    createdAt: z.number(),
    expiresAt: z.number().nullable(),
    /** Exact to a minute or so; an event stream counts when it is opened. null: never. */
    lastUsedAt: z.number().nullable(),
    /** Until when the key before the last rotation works as well; null: there is none. */
    previousKeyUntil: z.number().nullable(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKeyView = z.infer<typeof apiKeySchema>;

/** Strict: with a misspelt field that is passed over, a key could do more than was asked for. */
const fields = z.strictObject({
  isAdmin: z.boolean().optional().meta({ description: 'May do everything, and manage keys. Default: false.' }),
  session: sessionNameSchema
    .nullish()
    .meta({ description: 'The only session it opens, for as long as that session exists; null: all sessions.' }),
  isActive: z.boolean().optional().meta({ description: 'Default: true.' }),
  actions: actionsField.optional(),
  name: z.string().max(200).nullish().meta({ description: 'What it is for.' }),
  expiresAt: time.nullish().meta({ description: 'Milliseconds since 1970, in the future; null: never.' }),
  plan: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, { error: 'must be the name of a usage plan' })
    .nullish()
    .meta({ description: 'Usage plan that its requests count against; the first if there is none of this name.' }),
});
const principalField = z
  .string()
  .max(2048)
  .transform((text, context): string => {
    const principal = iamPrincipal(text);
    if (principal !== undefined) return principal;
    context.addIssue({ code: 'custom', message: 'must be the ARN of an IAM user or role', input: text });
    return z.NEVER;
  })
  .nullish()
  .meta({
    description: 'ARN of an IAM user or role: instead of making a key, this says what its signed requests may do.',
  });
const keyParams = z.object({
  id: z.string().refine(isKeyId, { error: 'must be the id of a key' }),
});
const common = { scope: 'admin', session: null, makes: 'none', engines: 'all' } as const;
const change = { ...common, audited: true } as const;
const scoped = z.strictObject({ session: sessionNameSchema });

export const keysOperations = defineOperations('keys', {
  createKey: {
    ...change,
    method: 'POST',
    path: '/api/keys',
    summary: 'Create a key; the answer is the only time that it is shown',
    request: { body: fields.extend({ principal: principalField }) },
    response: { status: 201, schema: apiKeySchema },
  },
  listKeys: {
    ...common,
    method: 'GET',
    path: '/api/keys',
    summary: 'List keys, the oldest first, without the keys themselves',
    request: {
      query: z.object({
        session: sessionNameSchema.optional(),
        limit: queryInteger(1, 10_000).default(10_000),
        offset: queryInteger(0, 1_000_000).default(0),
      }),
    },
    response: { status: 200, schema: z.array(apiKeySchema) },
  },
  createMediaKey: {
    ...change,
    method: 'POST',
    path: '/api/keys/media',
    summary: 'Get the key of a session that downloads received media and does nothing else; made when it is not there',
    request: { body: scoped },
    response: { status: 201, schema: apiKeySchema },
  },
  createControlKey: {
    ...change,
    method: 'POST',
    path: '/api/keys/control',
    summary:
      'Get the key of a session that starts, stops and pairs it and does nothing else; made when it is not there',
    request: { body: scoped },
    response: { status: 201, schema: apiKeySchema },
  },
  updateKey: {
    ...change,
    method: 'PUT',
    path: '/api/keys/{id}',
    summary: 'Change a key; fields that are left out stay as they are',
    request: { params: keyParams, body: fields },
    response: { status: 200, schema: apiKeySchema },
  },
  deleteKey: {
    ...change,
    method: 'DELETE',
    path: '/api/keys/{id}',
    summary: 'Delete a key; it is refused from then on',
    request: { params: keyParams },
    response: { status: 200 },
  },
  rotateKey: {
    ...change,
    method: 'POST',
    path: '/api/keys/{id}/rotate',
    summary: 'Replace a key by a new one with the same rights; the old one works on for a while',
    own: true,
    request: {
      params: keyParams,
      body: z.strictObject({
        overlapSeconds: z
          .number()
          .int()
          .min(0)
          .max(LONGEST_OVERLAP_DAYS * DAY_SECONDS)
          .default(DAY_SECONDS)
          .meta({ description: 'For how long the old key works as well; 0: not at all.' }),
      }),
    },
    response: { status: 201, schema: apiKeySchema },
  },
  listAudit: {
    ...common,
    method: 'GET',
    path: '/api/audit',
    summary: 'List who changed keys and sessions, the newest first',
    own: true,
    request: {
      query: z.object({
        from: z.coerce.number().int().min(0).max(LATEST).optional(),
        to: z.coerce.number().int().min(0).max(LATEST).optional(),
        session: sessionNameSchema.optional(),
        limit: queryInteger(1, 1_000).default(100),
        next: z
          .string()
          .regex(/^\d{13}_[0-9a-z]{26}$/, { error: 'must be the `next` of an earlier answer' })
          .optional(),
      }),
    },
    response: {
      status: 200,
      schema: z.object({
        entries: z.array(auditEntrySchema),
        /** For the next call; null: there is no more. An answer can have fewer entries than asked for and a `next`. */
        next: z.string().nullable(),
      }),
    },
  },
});
