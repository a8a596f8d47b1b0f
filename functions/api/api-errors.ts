import type { JobState } from '#shared/contracts/jobs.ts';
import { ConflictError, DependencyError, NotFoundError, TrunklineError } from '#shared/domain/errors.ts';

/** Errors that only the HTTP API has: WAHA gives them texts or statuses of their own. */

export class UnauthenticatedError extends TrunklineError {
  readonly code = 'unauthenticated';
  constructor() {
    super('Unauthorized');
  }
}

/** The key is good, but not for this. */
export class ForbiddenError extends TrunklineError {
  readonly code = 'forbidden';
}

/** No session has this name. Calls of a session's life and calls within a session word it differently (WAHA). */
export class SessionNotFoundError extends NotFoundError {
  constructor(session: string, call: 'lifecycle' | 'within') {
    super(
      call === 'lifecycle'
        ? 'Session not found'
        : `We didn't find a session with name '${session}'.\nPlease start it first by using POST /api/sessions/${session}/start request`,
    );
  }
}

/** A session with this name exists: 422 in WAHA, where other conflicts are 409. */
export class SessionExistsError extends ConflictError {}

/** Without this key nobody could manage keys any more. */
export class LastAdministratorError extends ConflictError {
  constructor() {
    super('This is the last active key of an administrator that does not expire. Make another one first');
  }
}

/** A pairing code was asked for while none can be given. */
export class NoPairingCodeError extends TrunklineError {
  readonly code = 'wrong-state';
  override readonly retryable = true;
  constructor(status: string) {
    super(`Can request code only in SCAN_QR_CODE status. The current status is ${status}`);
  }
}

/** The session waits to be paired, but its last QR code has expired and the next is not there yet. */
export class NoQrCodeError extends TrunklineError {
  readonly code = 'wrong-state';
  override readonly retryable = true;
  constructor() {
    super('The last QR code has expired and the next one is not there yet. Try again in a few seconds');
  }
}

export class FileNotFoundError extends NotFoundError {
  readonly file: string;
  constructor(file: string) {
    super('File not found');
    this.file = file;
  }
}

/** The path leads nowhere. */
export class RouteNotFoundError extends NotFoundError {}

/** The job has ended, or its message may already be on the wire. */
export class JobNotCancellableError extends ConflictError {
  readonly session: string;
  readonly jobId: string;
  readonly state: JobState;
  constructor(session: string, jobId: string, state: JobState) {
    super(
      state === 'PREPARED'
        ? `The message may have left already: its job is ${state}`
        : `The job has ended: it is ${state}`,
    );
    this.session = session;
    this.jobId = jobId;
    this.state = state;
  }
}

/** Too much of the session's waits already. Nothing was accepted. */
export class SessionBacklogError extends TrunklineError {
  readonly code = 'quota';
  override readonly retryable = true;
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number;
  constructor(cap: number, retryAfter: number) {
    super(`The session has ${cap} jobs that wait; no more sends are accepted until some have left`);
    this.retryAfter = retryAfter;
  }
}

/** Too much of the sessions that share this one's queue waits already. Nothing was accepted. */
export class ShardBacklogError extends DependencyError {
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number;
  constructor(retryAfter: number) {
    super('The queue of this session is full; nothing more is accepted until it has been worked off');
    this.retryAfter = retryAfter;
  }
}

/**
 * A job could not be put on its way. `certain` tells whether it will not run; otherwise the job's row, if it exists by
 * then, says what became of it.
 */
export class JobNotAcceptedError extends DependencyError {
  readonly session: string;
  readonly jobId: string;
  readonly certain: boolean;
  constructor(session: string, jobId: string, certain: boolean, cause: unknown) {
    super(
      certain
        ? 'The request could not be queued and will not be carried out. Try again later.'
        : 'The request may or may not be carried out. Look at the job before trying again.',
      { cause },
    );
    this.session = session;
    this.jobId = jobId;
    this.certain = certain;
  }
}
