import type { SessionRow } from '#shared/contracts/rows.ts';
import type { JobDeps } from '../deps.ts';
import { awaitStatus, type CommandResult, runCommand } from './run-command.ts';

/** Asks WhatsApp whether a phone number has an account. */
export async function checkExists(
  deps: JobDeps,
  session: SessionRow,
  phone: string,
  waitMs: number | undefined,
): Promise<CommandResult> {
  const working = await awaitStatus(deps, session, 'WORKING');
  return runCommand(deps, working, { type: 'checkExists', phone }, waitMs);
}
