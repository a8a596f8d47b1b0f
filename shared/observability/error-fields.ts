import { TrunklineError } from '../domain/errors.ts';
import { CENSOR } from './redaction.ts';

const DEEPEST_CAUSE = 4;
const MOST_FRAMES = 6;
/** `    at name (file:line:column)`, or without a name and brackets. */
const FRAME = /^ {4}at (?:[\w$.<>#[\] ]{1,120} \(|async )?(?:file:\/\/|node:|\/|[A-Z]:\\)\S+:\d+:\d+\)?$/;
/** The head of a stack whose error had no message. */
const NAME_ONLY = /^[\w$.]*(?: \[\w+\])?:? ?(?:\n {4}at |$)/;
/** Not as long as a phone number where it has digits. */
const WORD = /^(?!.*\d{7})[\w.-]{1,64}$/;

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
  const code = wordIn(error, 'code');
  const reason = wordIn(error, 'reason');
  const at = framesOf(error);
  return {
    type: error.name === 'Error' ? error.constructor.name : asWord(error.name),
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { reason }),
    ...(error instanceof TrunklineError && { retryable: error.retryable }),
    ...(at !== '' && { at }),
    ...(error.cause !== undefined && depth < DEEPEST_CAUSE && { cause: errorFields(error.cause, depth + 1) }),
  };
}

/** The stack's lines about places in files. Its head repeats the message, which may have lines that look like those. */
function framesOf({ stack = '', message }: Error): string {
  const head = message === '' ? -1 : stack.indexOf(`${message}\n`);
  // A message that was changed after the stack was written cannot be found in it, nor then where the head ends.
  if (head === -1 && !NAME_ONLY.test(stack)) return '';
  return stack
    .slice(head === -1 ? 0 : head + message.length)
    .split('\n')
    .filter((line) => FRAME.test(line))
    .slice(0, MOST_FRAMES)
    .join('\n');
}

function wordIn(error: Error, field: string): string | undefined {
  const value: unknown = Reflect.get(error, field);
  return typeof value === 'string' ? asWord(value) : undefined;
}

/** What a library or a server calls a kind of failure by; whatever else is in that place might be content. */
function asWord(text: string): string {
  return WORD.test(text) ? text : CENSOR;
}
