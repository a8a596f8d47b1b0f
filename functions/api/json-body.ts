import type { APIGatewayProxyEvent } from 'aws-lambda';
import { ValidationError } from '#shared/domain/errors.ts';

/** No schema of the API is nearly as deep. */
const DEEPEST = 100;

/**
 * The body of a request, parsed. No body is an empty object, and the content type is not insisted on, as with WAHA. Keys
 * such as `__proto__` are fields that no schema has: `JSON.parse` makes them fields of their object, and zod copies what a
 * schema names.
 *
 * @throws ValidationError that does not repeat the body
 */
export function readJsonBody({
  body,
  isBase64Encoded,
}: Pick<APIGatewayProxyEvent, 'body' | 'isBase64Encoded'>): unknown {
  const text = isBase64Encoded ? decoded(Buffer.from(body ?? '', 'base64')) : (body ?? '');
  if (text.trim() === '') return {};
  if (isTooDeep(text)) throw refused(`must not be nested deeper than ${DEEPEST} levels`);
  try {
    return JSON.parse(text);
  } catch {
    throw refused('must be JSON');
  }
}

/** What is not UTF-8 would reach its receiver as other characters than those that were meant. */
function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refused('must be UTF-8');
  }
}

/** A few megabytes of brackets take `JSON.parse` hundreds of megabytes, before anybody can say that they are no body. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inText = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (inText) {
      if (code === BACKSLASH) index += 1;
      else if (code === QUOTE) inText = false;
    } else if (code === QUOTE) {
      inText = true;
    } else if (code === BRACKET || code === BRACE) {
      depth += 1;
      if (depth > DEEPEST) return true;
    } else if (code === BRACKET + 2 || code === BRACE + 2) {
      depth -= 1;
    }
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What closes is two behind what opens. */
const BRACKET = 0x5b;
const BRACE = 0x7b;

function refused(message: string): ValidationError {
  return new ValidationError([{ path: 'body', message }]);
}
