import { ulid } from 'ulid';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { needsRunner } from '#shared/domain/needs-runner.ts';
import type { ApiDeps } from '../deps.ts';
import { currentTraceparent } from '../request-trail.ts';

/** Tells the owner of the session's shard to look at its row, and whoever starts hosts that it wants one. */
export async function notifyOwner(deps: Pick<ApiDeps, 'queue' | 'signals' | 'logger'>, row: SessionRow): Promise<void> {
  const traceparent = currentTraceparent();
  const message = {
    kind: 'session-changed',
    session: row.name,
    ...(traceparent !== undefined && { traceparent }),
  } as const;
  await Promise.all([
    deps.queue.send(row.shard, message, 'control', `changed_${ulid()}`),
    needsRunner(row) ? signal(deps, row) : undefined,
  ]);
}

/** Without the signal a host is started a minute later, if there is none: no reason to refuse what was asked for. */
async function signal({ signals, logger }: Pick<ApiDeps, 'signals' | 'logger'>, row: SessionRow): Promise<void> {
  try {
    await signals.wanted(row);
  } catch (error) {
    logger.warn({ err: error, shard: row.shard }, 'could not signal that a session wants a host');
  }
}
