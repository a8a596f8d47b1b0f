import * as z from 'zod';
import { mediaSchema } from '#shared/contracts/message.ts';
import type { MessageRow, SessionRow } from '#shared/contracts/rows.ts';
import { EngineError, TrunklineError } from '#shared/domain/errors.ts';
import type { ApiDeps, JobDeps } from '../deps.ts';
import { referenceTo } from './message-references.ts';
import { type CommandResult, runCommand } from './run-command.ts';

type FetchMediaDeps = JobDeps & Pick<ApiDeps, 'logger'>;

const resultSchema = z.object({ media: mediaSchema });

/**
 * The message with its media, which the session's engine downloads again where it is not stored. Where nobody can, or it
 * takes longer than the caller waits, the message is what it was.
 */
export async function fetchMedia(
  deps: FetchMediaDeps,
  session: SessionRow,
  row: MessageRow,
  waitMs: number | undefined,
): Promise<MessageRow> {
  const { message, revokedAt } = row;
  const reference = referenceTo(row);
  const missing = message.hasMedia && !message.media?.url && revokedAt === undefined;
  const isWorking = session.desired === 'RUNNING' && session.status === 'WORKING';
  if (!missing || reference === undefined || !isWorking) return row;
  const { content: _theHostHasIt, ...named } = reference;
  let outcome: CommandResult;
  try {
    outcome = await runCommand(deps, session, { type: 'downloadMedia', message: named }, waitMs);
  } catch (error) {
    if (!(error instanceof TrunklineError)) throw error;
    if (error.code === 'dependency') deps.logger.warn({ err: error }, 'could not ask for media');
    return error instanceof EngineError ? withMediaError(row, error.message) : row;
  }
  if (outcome.kind === 'pending') return row;
  return { ...row, message: { ...message, media: resultSchema.parse(outcome.result).media } };
}

/** What was told of it when it came stays. */
function withMediaError(row: MessageRow, reason: string): MessageRow {
  const { media } = row.message;
  const known = media ?? { url: null, mimetype: null, filename: null, s3: null, error: null };
  return { ...row, message: { ...row.message, media: { ...known, error: known.error ?? reason } } };
}
