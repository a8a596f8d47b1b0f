import { TrunklineError } from '#shared/domain/errors.ts';

/** Stored state that is not what was stored. Starting without it would lose the login, so nothing goes on by itself. */
export class CorruptStateError extends TrunklineError {
  readonly code = 'dependency';
}
