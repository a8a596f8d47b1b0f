import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';
import { LastAdministratorError } from '../api-errors.ts';

/** Whether a row lets an administrator in who needs no other key to stay in. */
export function isLasting({ isAdmin, isActive, hash, expiresAt }: ApiKeyRow): boolean {
  return isAdmin && isActive && hash !== undefined && expiresAt === undefined;
}

/**
 * Makes sure that an administrator's lasting key may go. Its row is marked before another one is looked for, and a marked
 * one counts for nobody: of several that go at the same moment each sees those that were marked before it looked, so the
 * last of them finds nobody and stays. Whoever takes the row away writes over this version only; a mark that was left
 * behind goes with the next change of its row.
 *
 * @returns the row as it is now; undefined when somebody else has changed it
 * @throws LastAdministratorError
 */
export async function leaving(keys: ApiKeyStore, row: ApiKeyRow): Promise<ApiKeyRow | undefined> {
  // Without this look every refusal would be two writes.
  if (!(await hasAnother(keys, row.id))) throw new LastAdministratorError();
  if (!(await keys.replace({ ...row, leaving: true }))) return undefined;
  const marked = { ...row, version: row.version + 1 };
  if (await hasAnother(keys, row.id)) return marked;
  // When somebody was faster it is his row.
  await keys.replace(marked);
  throw new LastAdministratorError();
}

async function hasAnother(keys: ApiKeyStore, id: string): Promise<boolean> {
  return (await keys.list()).some((row) => row.id !== id && row.leaving === undefined && isLasting(row));
}
