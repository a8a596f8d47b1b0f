import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ulid } from 'ulid';
import { isSendCommand, type MessageReference, type SendCommand } from '#shared/contracts/commands.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { ConflictError, ValidationError } from '#shared/domain/errors.ts';
import { messageIdForJob } from '#shared/domain/message-id.ts';
import { JobNotAcceptedError } from '../api-errors.ts';
import type { JobDeps } from '../deps.ts';
import { noteJob } from '../request-trail.ts';
import { acceptJob, NOT_QUEUED, wakeUp } from './accept-job.ts';
import { awaitJob, jobFailure } from './await-job.ts';

/** A row, with what the engine adds to it, has to fit into one item of 400 KB. */
const LARGEST_COMMAND = 150_000;
const MOST_ATTEMPTS = 10;

/** What is to be sent. Where media goes follows from the job, so what names it comes as a function of that. */
export type Draft =
  | { readonly command: SendCommand }
  | { readonly place: (session: string, jobId: string) => Promise<PlacedDraft> };

export interface PlacedDraft {
  readonly command: SendCommand;
  /** Stores what the command names; the job may not exist before. */
  store(): Promise<void>;
}

export interface SendOptions {
  /** Id on the wire, when the client chose it. */
  readonly presetId?: string | null | undefined;
  readonly idempotencyKey?: string | undefined;
  /** How long to wait for the server's ack. */
  readonly waitMs?: number | undefined;
}

export interface AcceptedSend {
  readonly job: JobRow;
  readonly command: SendCommand;
}

/**
 * Accepts a message for sending, in whatever state the session is. Order: media, row, queue.
 *
 * @throws ValidationError for media that could not be fetched, ConflictError when the idempotency key was used for something else, SessionBacklogError, ShardBacklogError,
 * JobNotAcceptedError, and after waiting the job's failure
 */
export async function sendMessage(
  deps: JobDeps,
  session: SessionRow,
  draft: Draft,
  options: SendOptions,
): Promise<AcceptedSend> {
  const accepted = await accept(deps, session, draft, options);
  if (!options.waitMs) return accepted;
  const job = await awaitJob(deps, accepted.job, options.waitMs);
  const failure = await jobFailure(deps, job);
  if (failure !== undefined) throw failure;
  return { ...accepted, job };
}

async function accept(deps: JobDeps, session: SessionRow, draft: Draft, options: SendOptions): Promise<AcceptedSend> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const jobId = jobIdFor(session, options.idempotencyKey, attempt);
    const { command, store } = await placed(session, jobId, draft);
    const messageId = options.presetId ?? messageIdForJob(session.name, jobId);
    const earlier = options.idempotencyKey === undefined ? undefined : await deps.jobs.get(session.name, jobId);
    if (earlier !== undefined) {
      if (!isSame(earlier, command, messageId)) throw reused();
      // An attempt that was told it had failed does not count: the client is right to try again.
      if (earlier.error?.code === NOT_QUEUED) continue;
      noteJob(jobId);
      if (earlier.state === 'QUEUED') await wakeAgain(deps, session, earlier);
      return { job: earlier, command };
    }
    await deps.backlog.admit(session, 'send');
    await store();
    try {
      return { job: await acceptJob(deps, session, { jobId, command, messageId }), command };
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      // The same key, at the same moment: look at what the other request has written.
      attempt -= 1;
    }
  }
  throw new ConflictError('This idempotency key has failed too often; use another one');
}

/** The first request may have died between the row and the queue. */
async function wakeAgain(deps: JobDeps, session: SessionRow, job: JobRow): Promise<void> {
  try {
    await wakeUp(deps, session, job);
  } catch (error) {
    throw new JobNotAcceptedError(session.name, job.jobId, false, error);
  }
}

/** The id of a job is random, or follows from the client's key, so that the same key finds the same job. */
function jobIdFor(session: SessionRow, key: string | undefined, attempt: number): string {
  if (key === undefined) return `job_${ulid()}`;
  const parts = `v1\0${session.name}\0${session.incarnation}\0${key}\0${attempt}`;
  return `job_${createHash('sha256').update(parts).digest('hex').slice(0, 32)}`;
}

async function placed(session: SessionRow, jobId: string, draft: Draft): Promise<PlacedDraft> {
  if ('command' in draft) return { command: checked(draft.command), store: async () => {} };
  const { command, store } = await draft.place(session.name, jobId);
  return { command: checked(command), store };
}

function checked(command: SendCommand): SendCommand {
  if (Buffer.byteLength(JSON.stringify(command)) <= LARGEST_COMMAND) return command;
  throw new ValidationError([{ path: 'body', message: `must not be larger than ${LARGEST_COMMAND} bytes` }]);
}

function reused(): ConflictError {
  return new ConflictError('This idempotency key was used for another request');
}

function isSame(job: JobRow, command: SendCommand, messageId: string): boolean {
  if (job.messageId !== messageId || !isSendCommand(job.command)) return false;
  return isDeepStrictEqual(asAsked(job.command), asAsked(command));
}

/** The command without what the read model knew at the time, which may have grown since. */
function asAsked(command: SendCommand): unknown {
  const only = (reference: MessageReference | undefined) => reference?.id;
  const plain: unknown = JSON.parse(JSON.stringify(command));
  return {
    ...(plain as object),
    ...('quoted' in command ? { quoted: only(command.quoted) } : {}),
    ...('message' in command ? { message: only(command.message) } : {}),
    // Only a forward says where to; the others are about the chat that the message is in.
    ...('message' in command && command.type !== 'forwardMessage' ? { chatId: null } : {}),
  };
}
