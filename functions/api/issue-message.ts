import type * as z from 'zod';

type Issue = z.core.$ZodRawIssue;

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
};
const UNITS: Readonly<Record<string, string>> = { string: 'characters', array: 'items', map: 'entries', set: 'items' };

/**
 * What is wrong with a field, worded so that it reads on from the field's name: "chatId: is required". Only for rules
 * that have no words of their own in the schema.
 *
 * @returns undefined: zod's words
 */
export function issueMessage(issue: Issue): string | undefined {
  if (issue.input === undefined && REQUIRED.has(issue.code)) return 'is required';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${EXPECTED[issue.expected] ?? `of type ${issue.expected}`}`;
    case 'invalid_value':
      return oneOf(issue.values);
    case 'too_small':
      return bound(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least');
    case 'too_big':
      return bound(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most');
    case 'invalid_format':
      return issue.format === 'url' ? 'must be a URL' : `is not valid ${issue.format}`;
    case 'invalid_union':
      return anyOf(issue.errors);
    default:
      return undefined;
  }
}

const REQUIRED: ReadonlySet<string> = new Set(['invalid_type', 'invalid_value', 'invalid_union']);

function oneOf(values: readonly unknown[]): string {
  const [only, ...others] = values.map((value) => JSON.stringify(value));
  return others.length === 0 ? `must be ${only}` : `must be one of ${[only, ...others].join(', ')}`;
}

function bound(origin: string, limit: number | bigint, words: string): string {
  const unit = UNITS[origin];
  if (unit === undefined) return `must be ${words} ${limit}`;
  if (words === 'at least' && Number(limit) === 1) return 'must not be empty';
  return `must have ${words} ${limit} ${unit}`;
}

/** The alternatives, where each says one thing about the value as a whole; else that none of them fits. */
function anyOf(alternatives: readonly (readonly z.core.$ZodIssue[])[]): string {
  const words = alternatives.map(([first, ...more]) =>
    first !== undefined && more.length === 0 && first.path.length === 0 ? first.message : undefined,
  );
  if (words.length === 0 || words.includes(undefined)) return 'has none of the forms that are accepted here';
  return [...new Set(words)].map((text, index) => (index === 0 ? text : text?.replace(/^must be /, ''))).join(' or ');
}
