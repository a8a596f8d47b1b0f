import * as z from 'zod';
import { type ApiKeyRow, KEY_ACTIONS, type KeyAction } from '#shared/contracts/rows.ts';

/** Who calls, as the authorizer found out. */
export interface Caller {
  /** Row that says what it may do; null: a signed request that none is about. */
  readonly keyId: string | null;
  /** ARN of whoever signed the request; none: it came with a key. */
  readonly principal?: string;
  readonly isAdmin: boolean;
  /** The only session it may touch; null: all. */
  readonly session: string | null;
  /** Of that session; there whenever it is. */
  readonly incarnation?: string;
  readonly actions: ReadonlySet<KeyAction>;
}

const actionSchema = z.enum(KEY_ACTIONS);

/** API Gateway's authorizer context holds plain values only, and hands them on as text. */
const contextSchema = z.object({
  keyId: z.string().min(1),
  isAdmin: z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]),
  /** Empty: all sessions. */
  session: z.string(),
  /** Of the session; empty without one. */
  incarnation: z.string().default(''),
  actions: z.string().transform((text) => text.split(',').filter((item) => actionSchema.safeParse(item).success)),
});

export function encodeCaller(key: ApiKeyRow): Record<string, string | boolean> {
  return {
    keyId: key.id,
    isAdmin: key.isAdmin,
    session: key.session ?? '',
    incarnation: key.incarnation ?? '',
    actions: key.actions.join(','),
  };
}

/** @returns undefined when this is not a context that the authorizer wrote */
export function decodeCaller(context: unknown): Caller | undefined {
  const parsed = contextSchema.safeParse(context);
  if (!parsed.success) return undefined;
  const { keyId, isAdmin, session, incarnation, actions } = parsed.data;
  return {
    keyId,
    isAdmin,
    session: session || null,
    ...(incarnation && { incarnation }),
    actions: new Set(actions.map((item) => actionSchema.parse(item))),
  };
}
