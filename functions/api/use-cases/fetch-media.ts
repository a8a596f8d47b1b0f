import * as z from 'zod';
import { mediaSchema } from '#shared/contracts/message.ts';
import type { MessageRow, SessionRow } from '#shared/contracts/rows.ts';
import type { JobDeps } from '../deps.ts';
import { referenceTo } from './message-references.ts';
import { runCommand } from './run-command.ts';

const resultSchema = z.object({ media: mediaSchema });

/**
 * The message with its media, which the session's engine downloads again where it is not stored. Where nobody can, or it
 * takes longer than the caller waits, the message is what it was.
 */
export async function fetchMedia(
  deps: JobDeps,
  session: SessionRow,
  row: MessageRow,
  waitMs: number | undefined,
): Promise<MessageRow> {
  const { message, revokedAt } = row;
  const reference = referenceTo(row);
  const missing = message.hasMedia && !message.media?.url && revokedAt === undefined;
  if (!missing || reference === undefined || session.desired !== 'RUNNING') return row;
  const { content: _theHostHasIt, ...named } = reference;
  const outcome = await runCommand(deps, session, { type: 'downloadMedia', message: named }, waitMs);
  if (outcome.kind === 'pending') return row;
  return { ...row, message: { ...message, media: resultSchema.parse(outcome.result).media } };
}
