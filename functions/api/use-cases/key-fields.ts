import type * as z from 'zod';
import type { keysOperations } from '#shared/contracts/api/keys.ts';
import { type ApiKeyRow, KEY_ACTIONS, type KeyAction } from '#shared/contracts/rows.ts';
import { ValidationError } from '#shared/domain/errors.ts';
import { SessionNotFoundError } from '../api-errors.ts';
import type { ApiDeps } from '../deps.ts';

export type KeyFields = z.output<typeof keysOperations.updateKey.request.body>;

/** What a key may do, and for how long; the part of its row that a client decides. */
export type KeyGrant = Pick<
  ApiKeyRow,
  'name' | 'isAdmin' | 'isActive' | 'session' | 'incarnation' | 'actions' | 'plan' | 'expiresAt'
>;

const DEFAULT_ACTIONS = KEY_ACTIONS.filter((action) => action !== 'delete');

export const NEW_GRANT: KeyGrant = {
  name: null,
  isAdmin: false,
  isActive: true,
  session: null,
  actions: DEFAULT_ACTIONS,
};

/**
 * A grant with a request's fields in it; what the request leaves out stays.
 *
 * @throws ValidationError, SessionNotFoundError
 */
export async function withFields(
  { sessions, clock }: Pick<ApiDeps, 'sessions' | 'clock'>,
  grant: KeyGrant,
  fields: KeyFields,
): Promise<KeyGrant> {
  if (typeof fields.expiresAt === 'number' && fields.expiresAt <= clock.now()) {
    throw new ValidationError([{ path: 'expiresAt', message: 'must be in the future' }]);
  }
  const isAdmin = fields.isAdmin ?? grant.isAdmin;
  const session = orKept(fields.session, grant.session);
  if (isAdmin && session !== null) {
    throw new ValidationError([{ path: 'session', message: 'must be null for an administrator' }]);
  }
  const incarnation = session === grant.session ? grant.incarnation : await incarnationOf(sessions, session);
  const plan = orKept(fields.plan, grant.plan ?? null);
  const expiresAt = orKept(fields.expiresAt, grant.expiresAt ?? null);
  return {
    name: orKept(fields.name, grant.name),
    isAdmin,
    isActive: fields.isActive ?? grant.isActive,
    session,
    actions: actionsOf(fields.actions) ?? grant.actions,
    ...(incarnation !== undefined && { incarnation }),
    ...(plan !== null && { plan }),
    ...(expiresAt !== null && { expiresAt }),
  };
}

function orKept<T>(given: T | undefined, kept: T): T {
  return given === undefined ? kept : given;
}

function actionsOf(given: KeyFields['actions']): KeyAction[] | undefined {
  if (given === undefined) return undefined;
  return given === null ? DEFAULT_ACTIONS : KEY_ACTIONS.filter((action) => given[action] === true);
}

async function incarnationOf(sessions: ApiDeps['sessions'], session: string | null): Promise<string | undefined> {
  if (session === null) return undefined;
  const row = await sessions.get(session);
  if (row === undefined || row.desired === 'DELETED') throw new SessionNotFoundError(session, 'lifecycle');
  return row.incarnation;
}
