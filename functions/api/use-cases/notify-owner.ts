import { ulid } from 'ulid';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { ApiDeps } from '../deps.ts';

/** Tells the owner of the session's shard to look at its row. */
export async function notifyOwner({ queue }: Pick<ApiDeps, 'queue'>, row: SessionRow): Promise<void> {
  await queue.send(row.shard, { kind: 'session-changed', session: row.name }, 'control', `changed_${ulid()}`);
}
