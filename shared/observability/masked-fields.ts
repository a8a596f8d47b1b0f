import { errorFields } from './error-fields.ts';
import { CENSOR, isPrivate } from './redaction.ts';

const DEEPEST = 6;

/**
 * A copy of a line's fields with private ones masked at any depth, bytes and whatever is deeper than six objects too. Its `err`
 * and `error` are left to the serializers.
 */
export function maskedFields({ err, error, ...fields }: { readonly err?: unknown; readonly error?: unknown }): object {
  return { ...maskedObject(fields, 1), ...(err !== undefined && { err }), ...(error !== undefined && { error }) };
}

function maskedObject(fields: object, depth: number): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, isPrivate(name) ? CENSOR : masked(value, depth)]),
  );
}

function masked(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Error) return errorFields(value);
  if (ArrayBuffer.isView(value) || depth > DEEPEST) return CENSOR;
  return Array.isArray(value) ? value.map((one) => masked(one, depth + 1)) : maskedObject(value, depth + 1);
}
