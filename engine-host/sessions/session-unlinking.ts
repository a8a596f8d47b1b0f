import type { SessionRow } from '#shared/contracts/rows.ts';
import type { HeldSession } from './held-session.ts';
import type { SessionEngine } from './session-engine.ts';
import type { SessionRunnerDeps } from './session-runner-deps.ts';
import type { NewStatus, StatusBoard } from './status-board.ts';

export interface UnlinkingOptions {
  readonly deps: Pick<SessionRunnerDeps, 'engines' | 'startTurn'>;
  readonly board: StatusBoard;
  readonly held: HeldSession;
  readonly engine: SessionEngine;
  /** Aborted when the session is not to be run here any more. */
  readonly over: AbortSignal;
}

export const NOT_UNLINKED = {
  status: 'STOPPED',
  reason: 'unlink-failed',
  message: 'The device could not be unlinked; it has to be removed on the phone',
} as const satisfies NewStatus;

/**
 * Takes the device off the account, if there is one, and stops the engine. The login is dropped after it, so there is no
 * later chance.
 * @returns false when it is still on the account, or that is the next owner's to see to
 * @throws NotOwnerError
 */
export async function unlinkDevice(
  row: SessionRow,
  { deps, board, held, engine, over }: UnlinkingOptions,
): Promise<boolean> {
  if (engine.running !== undefined && board.status === 'WORKING') {
    await engine.logout();
    return true;
  }
  await engine.stop();
  if (board.me === null) return true;
  const factory = deps.engines.get(row.engine);
  const open = await deps.startTurn(() => held.take(row));
  if (factory === undefined || open === undefined || over.aborted) return false;
  return await engine.connectAndUnlink(factory, row, open, over);
}
