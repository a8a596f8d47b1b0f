import * as z from 'zod';
import { jobErrorSchema, jobStateSchema } from '../jobs.ts';
import { messageSchema } from '../message.ts';
import { engineNameSchema, meSchema, sessionConfigSchema, sessionStatusSchema } from '../session.ts';
import { webhookStateSchema } from './webhook-bodies.ts';

/** Bodies of answers. */

/** A session as clients see it: WAHA's SessionDTO and SessionInfo at once. */
export const sessionInfoSchema = z
  .object({
    name: z.string(),
    status: sessionStatusSchema,
    config: sessionConfigSchema,
    me: meSchema.nullable(),
    engine: z.object({ engine: engineNameSchema }),
    presence: z.string().nullable(),
    /** Milliseconds since 1970. */
    timestamps: z.object({ activity: z.number().nullable() }),
    /** Host that runs it; empty while none does. */
    assignedWorker: z.string(),
    apps: z.null(),
    /** Machine-readable reason of the status, e.g. `logged-out`. */
    statusReason: z.string().nullable(),
    /** Milliseconds since 1970: pacing lets no ordinary send leave before; null when nothing was paced yet. */
    nextSendAt: z.number().nullable(),
    /** How each webhook is; only where one session is asked for. */
    webhooks: z.array(webhookStateSchema).optional(),
  })
  .meta({ id: 'SessionInfo' });
export type SessionInfo = z.infer<typeof sessionInfoSchema>;

/** Answer to a send: the message as it will go out, with the id it will have. */
export const sentMessageSchema = messageSchema
  .extend({
    /** Null while the session has never been paired. */
    from: z.string().nullable(),
    key: z.object({ id: z.string(), remoteJid: z.string(), fromMe: z.literal(true) }),
  })
  .meta({ id: 'SentMessage' });
export type SentMessage = z.infer<typeof sentMessageSchema>;

export const jobSchema = z
  .object({
    id: z.string(),
    session: z.string(),
    type: z.string(),
    state: jobStateSchema,
    /** Long form; null for commands. */
    messageId: z.string().nullable(),
    result: z.record(z.string(), z.unknown()).nullable(),
    error: jobErrorSchema.nullable(),
    attempts: z.number(),
    /** Milliseconds since 1970, as the other times. */
    createdAt: z.number(),
    updatedAt: z.number(),
    expiresAt: z.number(),
    /** A send that waits leaves at about this time, not before; null when it does not wait, or others are before it. */
    notBefore: z.number().nullable(),
    /** What pacing lets it wait for, e.g. `gap`, `hour-cap`, `quiet-hours`; null when nothing. */
    waitsFor: z.string().nullable(),
  })
  .meta({ id: 'Job' });
export type JobView = z.infer<typeof jobSchema>;

/** Answer to a command that has not finished in time. */
export const pendingJobSchema = z
  .object({ id: z.string(), state: jobStateSchema, url: z.string() })
  .meta({ id: 'PendingJob' });

export const numberExistsSchema = z
  .object({ numberExists: z.boolean(), chatId: z.string().optional() })
  .meta({ id: 'WANumberExistResult' });

export const base64FileSchema = z.object({ mimetype: z.string(), data: z.base64() }).meta({ id: 'Base64File' });
export const qrValueSchema = z.object({ value: z.string() }).meta({ id: 'QRCodeValue' });
export const pairingCodeSchema = z.object({ code: z.string() }).meta({ id: 'PairingCode' });

export const chatSchema = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    /** Seconds. */
    conversationTimestamp: z.number(),
  })
  .meta({ id: 'Chat' });

export const chatSummarySchema = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    picture: z.string().nullable(),
    lastMessage: messageSchema.nullable(),
    _chat: chatSchema,
  })
  .meta({ id: 'ChatSummary' });

export const versionSchema = z
  .object({
    version: z.string(),
    engine: z.string(),
    tier: z.string(),
    browser: z.string().nullable(),
    platform: z.string(),
    worker: z.object({ id: z.string().nullable() }),
  })
  .meta({ id: 'WAHAEnvironment' });

const healthEntrySchema = z.record(z.string(), z.looseObject({ status: z.string() }));
export const healthSchema = z
  .object({
    status: z.enum(['ok', 'error']),
    info: healthEntrySchema,
    error: healthEntrySchema,
    details: healthEntrySchema,
  })
  .meta({ id: 'Health' });

/** Body of every error: WAHA's fields, plus `code` and, for invalid input, `issues`. */
export const errorSchema = z
  .looseObject({
    statusCode: z.number().optional(),
    message: z.union([z.string(), z.array(z.string())]).optional(),
    code: z.string(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    requestId: z.string().optional(),
  })
  .meta({ id: 'Error' });
