import * as z from 'zod';

/** How long the audit log is kept unless the installation says otherwise. */
export const AUDIT_DAYS = 365;

/**
 * One change of a key, a session, or what a session is linked to: who, what, when, from where. Never a body's or a configuration's values. Times are
 * milliseconds since 1970.
 */
export const auditEntrySchema = z
  .object({
    id: z.string(),
    at: z.number(),
    /** Id of the operation, e.g. `stopSession`; of the system `administratorKey`. */
    operation: z.string(),
    /**
     * Who asked for it: by key, by signature, or both where a principal has a row of its own. `system` is the part of Trunkline
     * that did it unasked.
     */
    actor: z.object({
      keyId: z.string().nullable(),
      principal: z.string().nullable(),
      system: z.string().nullable().default(null),
    }),
    session: z.string().nullable(),
    /** Id of the key that was changed. */
    keyId: z.string().nullable(),
    /** Names of the fields that the request gave. */
    fields: z.array(z.string()),
    requestId: z.string(),
    sourceAddress: z.string().nullable(),
    /** `done`, or the code of the error; null: it is not known how it ended, so it may have been done. */
    outcome: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** Row of the audit table, key (`month`, `place`): `2026-11`, and time in 13 digits, `_`, id. */
export const auditRowSchema = auditEntrySchema.extend({
  month: z.string(),
  place: z.string(),
  /** Seconds since 1970. */
  ttl: z.number(),
});
