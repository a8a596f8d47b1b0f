import * as z from 'zod';
import { isSessionName, SESSION_NAME_RULE } from '../domain/session-name.ts';
import { pacingConfigSchema } from './pacing.ts';
import { webhookSchema } from './webhooks.ts';

/** Status words of a session (WAHA 2026.7: session state machine). */
export const SESSION_STATUSES = ['STOPPED', 'STARTING', 'SCAN_QR_CODE', 'WORKING', 'FAILED'] as const;
export const sessionStatusSchema = z.enum(SESSION_STATUSES);
export type SessionStatus = z.infer<typeof sessionStatusSchema>;

/**
 * Reasons of a status: the other side has not proved who it is. `server-identity`: the server that it is WhatsApp's,
 * `server-identity-clock`: only because of the time its certificate has, `pairing-unproven`: the phone that it was shown
 * the code.
 */
export const DISTRUST_REASONS = ['server-identity', 'server-identity-clock', 'pairing-unproven'] as const;
export type DistrustReason = (typeof DISTRUST_REASONS)[number];

export const ENGINES = ['NOWEB', 'WEBJS', 'GOWS', 'SCRIPTED'] as const;
/** `SCRIPTED` is a second implementation of the engine port for tests; it speaks to nobody. */
export const engineNameSchema = z.enum(ENGINES);
export type EngineName = z.infer<typeof engineNameSchema>;

export const sessionNameSchema = z.string().refine(isSessionName, { error: `must be ${SESSION_NAME_RULE}` });

/** A session's configuration as WAHA's clients send it; unknown fields are dropped. */
export const sessionConfigSchema = z
  .object({
    metadata: z.record(z.string(), z.string()).nullish(),
    debug: z
      .boolean()
      .nullish()
      .meta({ description: 'With true, what the library behind the engine says is published as `engine.event`.' }),
    proxy: z
      .object({ server: z.string(), username: z.string().nullish(), password: z.string().nullish() })
      .nullish()
      .meta({ description: 'Not supported yet: anything but null is refused with 422.' }),
    ignore: z
      .object({
        status: z.boolean().nullish(),
        groups: z.boolean().nullish(),
        channels: z.boolean().nullish(),
        broadcast: z.boolean().nullish(),
      })
      .nullish()
      .meta({ description: 'Kinds of chats of which there are no events. Sends go there all the same.' }),
    client: z.object({ deviceName: z.string().nullish(), browserName: z.string().nullish() }).nullish(),
    noweb: z
      .object({
        markOnline: z.boolean().nullish(),
        store: z
          .object({ enabled: z.boolean().nullish(), fullSync: z.boolean().nullish() })
          .nullish()
          .meta({ description: 'Kept; has no effect: chats and messages are always stored, without history sync.' }),
      })
      .nullish(),
    webhooks: z.array(webhookSchema).nullish(),
    pacing: pacingConfigSchema.nullish(),
  })
  .meta({ id: 'SessionConfig' });
export type SessionConfig = z.infer<typeof sessionConfigSchema>;

/** They are many and large, so they are published only for whoever names them; `*` does not. */
export function wantsEngineEvents({ debug, webhooks }: SessionConfig): boolean {
  return debug === true || (webhooks ?? []).some(({ events }) => events.includes('engine.event'));
}

/** The account behind a session. */
export const meSchema = z
  .object({
    /** Phone-number chat id, `…@c.us`. */
    id: z.string(),
    pushName: z.string().nullable(),
    lid: z.string().nullable(),
    /** Device JID, `…:12@s.whatsapp.net`. */
    jid: z.string().nullable(),
  })
  .meta({ id: 'MeInfo' });
export type Me = z.infer<typeof meSchema>;

export const statusChangeSchema = z.object({
  status: sessionStatusSchema,
  /** Milliseconds since 1970. */
  timestamp: z.number(),
});
export type StatusChange = z.infer<typeof statusChangeSchema>;
