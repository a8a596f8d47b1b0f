import { TrunklineError } from '../domain/errors.ts';

const DEEPEST_CAUSE = 4;

export interface ErrorFields {
  readonly type: string;
  readonly code?: string;
  readonly reason?: string;
  readonly retryable?: boolean;
  /** Where it came from; the message is left out, it may quote what it failed on. */
  readonly at?: string;
  readonly cause?: ErrorFields;
}

/** What a log says of an error: what kind, where, and why; never the text of the error. */
export function errorFields(error: unknown, depth = 0): ErrorFields {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = textIn(error, 'code');
  const reason = textIn(error, 'reason');
  const at = error.stack
    ?.split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, 6)
    .join('\n');
  return {
    type: error.name === 'Error' ? error.constructor.name : error.name,
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { reason }),
    ...(error instanceof TrunklineError && { retryable: error.retryable }),
    ...(at !== undefined && at !== '' && { at }),
    ...(error.cause !== undefined && depth < DEEPEST_CAUSE && { cause: errorFields(error.cause, depth + 1) }),
  };
}

function textIn(error: Error, field: string): string | undefined {
  const value: unknown = Reflect.get(error, field);
  return typeof value === 'string' ? value : undefined;
}
