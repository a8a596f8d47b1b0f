import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import type { ApiKeyRow, KeyAction } from '#shared/contracts/rows.ts';
import { keyId, makeApiKey } from '#shared/domain/api-key.ts';
import { ConflictError } from '#shared/domain/errors.ts';
import { iamEntryId } from '#shared/domain/iam-principal.ts';
import type { SessionName } from '#shared/domain/session-name.ts';
import type { ReadPepper } from '#shared/ports/read-pepper.ts';
import type { ApiDeps } from '../deps.ts';
import { type KeyFields, NEW_GRANT, withFields } from './key-fields.ts';
import type { ShownKey } from './key-view.ts';

export type KeysDeps = Pick<ApiDeps, 'keys' | 'sessions' | 'audit' | 'clock' | 'config'> & {
  readonly readPepper: ReadPepper;
};

const NONCE_BYTES = 16;

/** Makes a key. @throws ValidationError, SessionNotFoundError */
export async function createKey(deps: KeysDeps, fields: KeyFields): Promise<ShownKey> {
  const grant = await withFields(deps, NEW_GRANT, fields);
  const id = keyId(ulid().toLowerCase());
  const key = makeApiKey(id);
  const row = { ...grant, id, version: 1, hash: (await deps.readPepper()).hash(key), createdAt: deps.clock.now() };
  // No other row has this id: one that is there was written by a try whose answer was lost.
  await deps.keys.create(row);
  return { row, key };
}

/** Says what an IAM principal may do, also where that was revoked. @throws ConflictError when it is said already */
export async function createIamEntry(deps: KeysDeps, principal: string, fields: KeyFields): Promise<ShownKey> {
  const grant = await withFields(deps, NEW_GRANT, fields);
  const id = iamEntryId(principal);
  const row: ApiKeyRow = { ...grant, id, version: 1, principal, createdAt: deps.clock.now() };
  if (await deps.keys.create(row)) return { row };
  const found = await deps.keys.get(id);
  const isRevoked = found?.deletedAt !== undefined;
  if (isRevoked && (await deps.keys.replace({ ...row, version: found.version }))) return { row };
  throw new ConflictError(`There is a row for ${principal} already: ${id}`);
}

/**
 * The key that does one thing in one session, made if it is not there. It is derived of its row under the pepper, so it
 * can be told again. @throws SessionNotFoundError
 */
export async function scopedKey(deps: KeysDeps, session: SessionName, action: KeyAction): Promise<ShownKey> {
  const grant = await withFields(deps, { ...NEW_GRANT, name: action, actions: [action] }, { session });
  const pepper = await deps.readPepper();
  const id = pepper.derivedId(session, grant.incarnation ?? '', action);
  const nonce = newNonce();
  const hash = pepper.hash(pepper.derivedKey(id, nonce));
  const made: ApiKeyRow = { ...grant, id, version: 1, nonce, hash, createdAt: deps.clock.now() };
  if (await deps.keys.create(made)) return { row: made, key: pepper.derivedKey(id, nonce) };
  const row = await deps.keys.get(id);
  if (row?.nonce === undefined) throw new ConflictError('The key is being changed. Try again');
  return { row, key: pepper.derivedKey(id, row.nonce) };
}

export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString('hex');
}
