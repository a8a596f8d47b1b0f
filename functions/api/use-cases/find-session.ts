import { type Operation, supports } from '#shared/contracts/api/operation.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { NotSupportedError } from '#shared/domain/errors.ts';
import { SessionNotFoundError } from '../api-errors.ts';
import type { ApiDeps } from '../deps.ts';

/**
 * The session a request is about. A session that is being deleted is already gone.
 *
 * @throws SessionNotFoundError, NotSupportedError when its engine cannot do the operation
 */
export async function findSession(
  { sessions }: Pick<ApiDeps, 'sessions'>,
  operation: Operation,
  name: string,
): Promise<SessionRow> {
  const row = await sessions.get(name);
  if (row === undefined || row.desired === 'DELETED') {
    throw new SessionNotFoundError(name, operation.group === 'sessions' ? 'lifecycle' : 'within');
  }
  if (!supports(operation, row.engine)) {
    throw new NotSupportedError(`The engine ${row.engine} cannot do this: ${operation.id}`);
  }
  return row;
}
