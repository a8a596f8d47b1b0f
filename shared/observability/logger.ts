import { type DestinationStream, type LogFn, type Logger, pino, stdTimeFunctions } from 'pino';
import { errorFields } from './error-fields.ts';
import { maskedFields } from './masked-fields.ts';
import { CENSOR, redactedPaths } from './redaction.ts';

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
 * Fields that may hold content, numbers or keys are masked even if somebody passes them, however deep.
 */
export function createLogger({ name, level = 'info', destination, context }: LoggerOptions): Logger {
  const options = {
    name,
    level,
    base: { name },
    ...(context && { mixin: context }),
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redactedPaths(), censor: CENSOR },
    serializers: { err: errorFields, error: errorFields },
    hooks: { logMethod: withoutContent },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Without a text of its own a line would take the error's, which may quote what it failed on. */
function withoutContent(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  const [first, text, ...rest] = args;
  const fields: unknown = first;
  if (fields instanceof Error) method.call(this, { err: fields }, text ?? 'error', ...rest);
  else if (typeof fields === 'object' && fields !== null) method.call(this, maskedFields(fields), text ?? '', ...rest);
  else method.apply(this, args);
}
