/**
 * The error tree. Every expected failure of Trunkline is one of these; the HTTP status is decided in one place
 * (`functions/api/http-errors.ts`), never here.
 */
export type ErrorCode =
  | 'validation'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'not-supported'
  | 'wrong-state'
  | 'quota'
  | 'engine'
  | 'dependency';

/** One broken rule of an input: where it is, and what was expected there. */
export interface FieldIssue {
  /** Path of the field as the client wrote it, e.g. `file.url`, `query.limit`. */
  readonly path: string;
  readonly message: string;
}

/** Base of all expected failures. `message` is a sentence that may be shown to a client. */
export abstract class TrunklineError extends Error {
  abstract readonly code: ErrorCode;
  /** True when the same request may succeed later without being changed. */
  readonly retryable: boolean = false;
}

/** The input does not have the expected form; nothing was changed. */
export class ValidationError extends TrunklineError {
  readonly code = 'validation';
  readonly issues: readonly FieldIssue[];
  constructor(issues: readonly FieldIssue[]) {
    super(issues.map((issue) => `${issue.path}: ${issue.message}`).join('; '));
    this.issues = issues;
  }
}

export class NotFoundError extends TrunklineError {
  readonly code = 'not-found';
}

/** Something else with the same identity exists, or the row changed underneath (a lost conditional write). */
export class ConflictError extends TrunklineError {
  readonly code = 'conflict';
}

/** The engine of the session, or Trunkline as it is, cannot do what was asked. */
export class NotSupportedError extends TrunklineError {
  readonly code = 'not-supported';
}

/** The session is in a state in which the request makes no sense. */
export class WrongStateError extends TrunklineError {
  readonly code = 'wrong-state';
  override readonly retryable = true;
  readonly session: string;
  readonly status: string;
  readonly expected: readonly string[];
  constructor(session: string, status: string, expected: readonly string[]) {
    super('Session status is not as expected. Try again later or restart the session');
    this.session = session;
    this.status = status;
    this.expected = expected;
  }
}

/** WhatsApp or the engine refused the job for good. `reason` is machine readable, e.g. `nack-463`. */
export class EngineError extends TrunklineError {
  readonly code = 'engine';
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Something Trunkline depends on (a table, a queue, a remote file) did not answer as it must. Its message is for logs. */
export class DependencyError extends TrunklineError {
  readonly code = 'dependency';
  override readonly retryable = true;
}

/** This host no longer owns the shard: whatever was about to happen must not happen. */
export class NotOwnerError extends TrunklineError {
  readonly code = 'conflict';
}
