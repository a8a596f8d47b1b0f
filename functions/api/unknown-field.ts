import * as z from 'zod';

const MOST_MISTAKES = 2;
const LONGEST_NAME = 64;

/**
 * What is wrong with a field that a strict schema does not have, with the field that was probably meant.
 *
 * @param path of the object that the field is in
 */
export function unknownField(schema: z.ZodType, path: readonly PropertyKey[], name: string): string {
  const meant = nearest(name, Object.keys(objectAt(schema, path)?.shape ?? {}));
  return `is not a field of this${meant === undefined ? '' : `; did you mean \`${meant}\`?`}`;
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

function nearest(name: string, known: readonly string[]): string | undefined {
  const given = name.toLowerCase();
  const ranked = known
    .filter((one) => Math.abs(one.length - given.length) <= MOST_MISTAKES)
    .map((one) => ({ one, mistakes: distance(given, one.toLowerCase()) }))
    .sort((a, b) => a.mistakes - b.mistakes);
  const [best] = ranked;
  return best !== undefined && best.mistakes <= Math.min(MOST_MISTAKES, name.length / 2) ? best.one : undefined;
}

/** Letters to change, add or take away (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_all, index) => index);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (let column = 0; column < b.length; column += 1) {
      const replaced = (row[column] ?? 0) + (letter === b[column] ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
