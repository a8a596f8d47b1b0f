import { ValidationError } from '#shared/domain/errors.ts';

type Headers = Readonly<Record<string, string>>;

/** API Gateway gives up after 29 s. */
const LONGEST_WAIT_SECONDS = 25;

/** `Prefer: wait=N` in milliseconds; undefined when the client does not say. */
export function preferredWaitMs(headers: Headers): number | undefined {
  const seconds = /(?:^|[,;\s])wait=(\d{1,6})(?:$|[,;\s])/.exec(headers.prefer ?? '')?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds), LONGEST_WAIT_SECONDS) * 1000;
}

/** @throws ValidationError when the header is there but unusable */
export function idempotencyKey(headers: Headers): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new ValidationError([
    { path: 'headers.idempotency-key', message: 'must be 1 to 255 visible ASCII characters without spaces' },
  ]);
}

/** Whether the client wants JSON where the answer could be binary. */
export function wantsJson(headers: Headers): boolean {
  return /\bapplication\/json\b/i.test(headers.accept ?? '');
}
