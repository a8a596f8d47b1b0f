import type { SessionRow } from '#shared/contracts/rows.ts';
import type { ApiDeps } from '../deps.ts';

/**
 * Removes the keys that were made for a session. They have stopped working with its row's `desired`: rows that are left
 * over do no harm, and are no reason to fail.
 */
export async function removeSessionKeys(
  { keys, logger }: Pick<ApiDeps, 'keys' | 'logger'>,
  { name, incarnation }: SessionRow,
): Promise<void> {
  try {
    const rows = await keys.listBySession(name);
    const own = rows.filter((row) => row.incarnation === incarnation);
    await Promise.all(own.map(({ id }) => keys.removeOfSession(id, incarnation)));
  } catch (error) {
    logger.warn({ err: error }, 'could not remove the keys of a deleted session');
  }
}
