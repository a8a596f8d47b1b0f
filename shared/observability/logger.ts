import { type DestinationStream, type LogFn, type Logger, pino, stdTimeFunctions } from 'pino';
import { errorFields } from './error-fields.ts';
import { redactedPaths } from './redaction.ts';

export type { Logger } from 'pino';
export { configureLogTags, tag } from './log-tags.ts';

export interface LoggerOptions {
  /** What writes the lines, e.g. `event-projector`. */
  readonly name: string;
  /** @default info */
  readonly level?: string;
  /** @default standard output */
  readonly destination?: DestinationStream;
  /** What else every line says, asked for at each. @default nothing */
  readonly context?: () => object;
}

/**
 * JSON lines of one schema: `time` (ISO 8601), `level` (word), `name`, `msg`, then fields; ids only as `tag(id)`.
 * Fields that may hold content, numbers or keys are masked even if somebody passes them.
 */
export function createLogger({ name, level = 'info', destination, context }: LoggerOptions): Logger {
  const options = {
    name,
    level,
    base: { name },
    ...(context && { mixin: context }),
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redactedPaths(), censor: '[redacted]' },
    serializers: { err: errorFields, error: errorFields },
    hooks: { logMethod: neverQuoteErrors },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Without a text of its own a line would take the error's, which may quote what it failed on. */
function neverQuoteErrors(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  const [first, text, ...rest] = args;
  const fields: unknown = first;
  if (fields instanceof Error) method.call(this, { err: fields }, text ?? 'error', ...rest);
  else if (typeof fields === 'object' && text === undefined) method.call(this, fields, '');
  else method.apply(this, args);
}
