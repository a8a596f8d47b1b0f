import * as z from 'zod';

const LONGEST_NAME = 64;

/**
 * What is wrong with a field that a strict schema does not have, with those that it has.
 *
 * @param path of the object that the field is in
 */
export function unknownField(schema: z.ZodType, path: readonly PropertyKey[]): string {
  const names = Object.keys(objectAt(schema, path)?.shape ?? {}).sort();
  return `is not a field of this, which may have: ${names.join(', ')}`;
}

/** The name as far as it is shown: a client may send any text for one. */
export function shownName(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}

function objectAt(schema: unknown, [name, ...rest]: readonly PropertyKey[]): z.ZodObject | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    return objectAt(schema.unwrap(), name === undefined ? [] : [name, ...rest]);
  }
  if (!(schema instanceof z.ZodObject)) return undefined;
  return name === undefined ? schema : objectAt(schema.shape[String(name)], rest);
}
