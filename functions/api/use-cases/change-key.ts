import { isDeepStrictEqual } from 'node:util';
import { isGranted } from '#functions/authorizer/key-validity.ts';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import { makeApiKey } from '#shared/domain/api-key.ts';
import { ConflictError, NotFoundError } from '#shared/domain/errors.ts';
import { type KeysDeps, newNonce } from './create-key.ts';
import { type KeyFields, withFields } from './key-fields.ts';
import type { ShownKey } from './key-view.ts';
import { isLasting, leaving } from './last-administrator.ts';

const TRIES = 4;

/** Changes what a key may do. @throws NotFoundError, ValidationError, ConflictError */
export async function updateKey(deps: KeysDeps, id: string, fields: KeyFields): Promise<ShownKey> {
  return await changed(deps, id, async (row) => {
    const grant = await withFields(deps, row, fields);
    if (row.nonce !== undefined && !sameScope(row, grant)) {
      throw new ConflictError('What this key may do is fixed: it was made for one thing in one session');
    }
    const { incarnation: _incarnation, plan: _plan, expiresAt: _expiresAt, ...rest } = row;
    const next = { ...rest, ...grant };
    if (!isLasting(row) || isLasting(next)) return { row: next };
    const marked = await leaving(deps.keys, row);
    return marked && { row: { ...next, version: marked.version } };
  });
}

/** Revokes a key for good. @throws NotFoundError, ConflictError */
export async function deleteKey(deps: KeysDeps, id: string): Promise<void> {
  let row: ApiKeyRow | undefined = await findKey(deps, id);
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    // Gone since the first look: by somebody else, or by a write whose answer was lost.
    if (row === undefined || row.deletedAt !== undefined) return;
    const last = isLasting(row) ? await leaving(deps.keys, row) : row;
    if (last !== undefined && (await revoked(deps, last))) return;
    row = await deps.keys.get(id);
  }
  throw changedMeanwhile();
}

/**
 * Without its row a key that was made elsewhere would be let in again at the next deployment, and an IAM principal could do
 * whatever its policy lets through.
 */
async function revoked({ keys, clock }: KeysDeps, row: ApiKeyRow): Promise<boolean> {
  if (!row.brought && row.principal === undefined) return await keys.remove(row.id, row.version);
  const { hash: _hash, previous: _previous, ...rest } = row;
  return await keys.replace({ ...rest, isActive: false, deletedAt: clock.now() });
}

/**
 * Replaces a key by a new one.
 *
 * @param overlapMs for how long the one before works as well; the one before that ends now
 * @throws NotFoundError, ConflictError when there is no key to replace, or the new one could not work
 */
export async function rotateKey(deps: KeysDeps, id: string, overlapMs: number): Promise<ShownKey> {
  const pepper = await deps.readPepper();
  return await changed(deps, id, async ({ previous: _previous, ...row }) => {
    if (row.hash === undefined) throw new ConflictError('An IAM principal has no key to rotate');
    await assertNotOver(deps, row);
    const nonce = row.nonce === undefined ? {} : { nonce: newNonce() };
    const key = nonce.nonce === undefined ? makeApiKey(id) : pepper.derivedKey(id, nonce.nonce);
    const previous = overlapMs === 0 ? {} : { previous: { hash: row.hash, until: deps.clock.now() + overlapMs } };
    return { row: { ...row, ...nonce, ...previous, hash: pepper.hash(key) }, key };
  });
}

/** Whether it is switched on is its administrator's business: that can be changed afterwards. */
async function assertNotOver(deps: KeysDeps, row: ApiKeyRow): Promise<void> {
  if (row.expiresAt !== undefined && row.expiresAt <= deps.clock.now()) {
    throw new ConflictError('The key has expired. Give it another expiresAt first (PUT), or make a new key');
  }
  if (await isGranted({ ...row, isActive: true }, deps)) return;
  throw new ConflictError('The session of this key was deleted');
}

/** Reads, changes and writes a row, again if somebody else was faster. */
async function changed(
  deps: KeysDeps,
  id: string,
  change: (row: ApiKeyRow) => Promise<ShownKey | undefined>,
): Promise<ShownKey> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const next = await change(await findKey(deps, id));
    if (next === undefined) continue;
    if (await deps.keys.replace(next.row)) return next;
    // A write whose answer was lost is tried again by the AWS client, and then meets itself.
    const { lastUsedAt: _now, ...found } = await findKey(deps, id);
    const { lastUsedAt: _then, ...wanted } = next.row;
    if (isDeepStrictEqual(found, { ...wanted, version: wanted.version + 1 })) return next;
  }
  throw changedMeanwhile();
}

async function findKey({ keys }: KeysDeps, id: string): Promise<ApiKeyRow> {
  const found = await keys.get(id);
  if (found === undefined || found.deletedAt !== undefined) throw new NotFoundError('Key not found');
  // Whoever writes the row again takes the mark away.
  const { leaving: _mark, ...row } = found;
  return row;
}

function sameScope(a: Pick<ApiKeyRow, 'isAdmin' | 'session' | 'actions'>, b: typeof a): boolean {
  return a.isAdmin === b.isAdmin && a.session === b.session && a.actions.join() === b.actions.join();
}

function changedMeanwhile(): ConflictError {
  return new ConflictError('The key was changed by somebody else at the same time. Try again');
}
