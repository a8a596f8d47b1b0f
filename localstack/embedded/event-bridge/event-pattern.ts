import { BlockList, isIP } from 'node:net';

/** The pattern is not one EventBridge would take. The message says where and why. */
export class InvalidEventPatternError extends Error {
  readonly code = 'InvalidEventPatternException';
}

/** A compiled event pattern: does this event match? */
export type EventMatcher = (event: unknown) => boolean;

type Leaf = string | number | boolean | null | undefined;
/** Decides over the values found at one path; `undefined` stands for "nothing there". */
type LeafMatcher = (value: Leaf) => boolean;

/**
 * Compiles a pattern of EventBridge's language: exact values, prefix, suffix, equals-ignore-case, anything-but,
 * numeric, exists, cidr, wildcard and $or. An array in an event matches if any of its elements does.
 *
 * @throws InvalidEventPatternError
 */
export function compileEventPattern(pattern: unknown): EventMatcher {
  if (!isObject(pattern)) throw invalid('Event pattern is not a JSON object', []);
  if (Object.keys(pattern).length === 0) throw invalid('Event pattern must have at least one field', []);
  return compileObject(pattern, []);
}

/** Compiles a pattern given as JSON text. */
export function parseEventPattern(text: string): EventMatcher {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch {
    throw invalid('Event pattern is not valid JSON', []);
  }
  return compileEventPattern(pattern);
}

type Path = readonly string[];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function invalid(reason: string, path: Path): InvalidEventPatternError {
  return new InvalidEventPatternError(
    `Event pattern is not valid. Reason: ${reason}${path.length === 0 ? '' : ` at ${path.join('.')}`}`,
  );
}

function compileObject(pattern: Readonly<Record<string, unknown>>, path: Path): EventMatcher {
  const fields = Object.entries(pattern).map(([name, value]): EventMatcher => {
    const here = [...path, name];
    if (name === '$or' && Array.isArray(value)) return compileAlternatives(value, path);
    if (Array.isArray(value)) return compileField(name, value, here);
    if (!isObject(value)) throw invalid(`"${name}" must be an object or an array`, here);
    if (Object.keys(value).length === 0) throw invalid('Empty objects are not allowed', here);
    const inner = compileObject(value, here);
    return (event) => anyElement(fieldOf(event, name), inner);
  });
  return (event) => fields.every((matches) => matches(event));
}

function compileAlternatives(alternatives: readonly unknown[], path: Path): EventMatcher {
  if (alternatives.length < 2) throw invalid('$or needs at least two alternatives', path);
  const matchers = alternatives.map((alternative) => {
    if (!isObject(alternative) || Object.keys(alternative).length === 0) {
      throw invalid('Every alternative of $or must be an object with fields', path);
    }
    return compileObject(alternative, path);
  });
  return (event) => matchers.some((matches) => matches(event));
}

function compileField(name: string, candidates: readonly unknown[], path: Path): EventMatcher {
  if (candidates.length === 0) throw invalid('Empty arrays are not allowed', path);
  const matchers = candidates.map((candidate) => compileCandidate(candidate, path));
  return (event) => {
    const values = leavesOf(fieldOf(event, name));
    return matchers.some((matches) => values.some(matches));
  };
}

const fieldOf = (event: unknown, name: string): unknown =>
  isObject(event) && Object.hasOwn(event, name) ? event[name] : undefined;

function anyElement(value: unknown, matches: EventMatcher): boolean {
  return Array.isArray(value) ? value.some((element) => anyElement(element, matches)) : matches(value);
}

/** Only leaves count: an object or an empty array is "nothing there", as for EventBridge. */
function leavesOf(value: unknown): readonly Leaf[] {
  const found = flatLeaves(value);
  return found.length === 0 ? [undefined] : found;
}

function flatLeaves(value: unknown): readonly Leaf[] {
  if (Array.isArray(value)) return value.flatMap(flatLeaves);
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return [value];
  }
  return [];
}

function compileCandidate(candidate: unknown, path: Path): LeafMatcher {
  if (candidate === null || ['string', 'number', 'boolean'].includes(typeof candidate)) {
    return (value) => value === candidate;
  }
  if (!isObject(candidate)) throw invalid('Nested arrays are not allowed', path);
  const entries = Object.entries(candidate);
  const [first] = entries;
  if (first === undefined || entries.length > 1) throw invalid('A match expression has exactly one operator', path);
  const [operator, operand] = first;
  const compile = OPERATORS[operator];
  if (compile === undefined) throw invalid(`Unrecognized match type ${operator}`, path);
  return compile(operand, path);
}

type OperatorCompiler = (operand: unknown, path: Path) => LeafMatcher;

const OPERATORS: Readonly<Record<string, OperatorCompiler>> = {
  exists: (operand, path) => {
    if (typeof operand !== 'boolean') throw invalid('exists match pattern must be either true or false', path);
    return (value) => (value !== undefined) === operand;
  },
  prefix: affix('prefix', (value, part) => value.startsWith(part)),
  suffix: affix('suffix', (value, part) => value.endsWith(part)),
  'equals-ignore-case': (operand, path) => {
    const wanted = text(operand, 'equals-ignore-case', path).toLowerCase();
    return (value) => typeof value === 'string' && value.toLowerCase() === wanted;
  },
  wildcard: (operand, path) => {
    const expression = wildcardExpression(text(operand, 'wildcard', path), path);
    return (value) => typeof value === 'string' && expression.test(value);
  },
  numeric: (operand, path) => {
    const holds = numericRange(operand, path);
    return (value) => typeof value === 'number' && holds(value);
  },
  cidr: (operand, path) => {
    const block = cidrBlock(text(operand, 'cidr', path), path);
    return (value) => typeof value === 'string' && isIP(value) !== 0 && block.check(value, family(value));
  },
  'anything-but': anythingBut,
};

function text(operand: unknown, operator: string, path: Path): string {
  if (typeof operand !== 'string') throw invalid(`${operator} match pattern must be a string`, path);
  return operand;
}

function affix(operator: string, test: (value: string, part: string) => boolean): OperatorCompiler {
  return (operand, path) => {
    if (isObject(operand)) {
      const part = text(operand['equals-ignore-case'], `${operator} with equals-ignore-case`, path).toLowerCase();
      return (value) => typeof value === 'string' && test(value.toLowerCase(), part);
    }
    const part = text(operand, operator, path);
    return (value) => typeof value === 'string' && test(value, part);
  };
}

/** What anything-but may turn around, each with one operand or a list of them. */
const NEGATABLE = new Set(['prefix', 'suffix', 'equals-ignore-case', 'wildcard']);

function anythingBut(operand: unknown, path: Path): LeafMatcher {
  const excluded = isObject(operand) ? excludedByOperator(operand, path) : excludedValues(operand, path);
  return (value) => value !== undefined && !excluded.some((matches) => matches(value));
}

function excludedValues(operand: unknown, path: Path): readonly LeafMatcher[] {
  const values: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  const isValue = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value) || value === null;
  if (values.length === 0 || !values.every(isValue)) {
    throw invalid('Inside anything-but only values, a list of values or one operator are allowed', path);
  }
  return values.map((excluded) => (value) => value === excluded);
}

function excludedByOperator(operand: Readonly<Record<string, unknown>>, path: Path): readonly LeafMatcher[] {
  const entries = Object.entries(operand);
  const [first] = entries;
  if (first === undefined || entries.length > 1 || !NEGATABLE.has(first[0])) {
    throw invalid(`anything-but takes one of ${[...NEGATABLE].join(', ')}`, path);
  }
  const [operator, operands] = first;
  const list: readonly unknown[] = Array.isArray(operands) ? operands : [operands];
  if (list.length === 0) throw invalid('Empty arrays are not allowed', path);
  return list.map((one) => compileCandidate({ [operator]: one }, path));
}

const COMPARISONS: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '=': (value, limit) => value === limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
};

/** `["=", n]`, one bound, or a lower and an upper bound in this order. */
function numericRange(operand: unknown, path: Path): (value: number) => boolean {
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) {
    throw invalid('Value of numeric must be an array of one or two comparisons', path);
  }
  const bounds: { readonly operator: string; readonly limit: number }[] = [];
  for (let i = 0; i < operand.length; i += 2) {
    const operator: unknown = operand[i];
    const limit: unknown = operand[i + 1];
    if (typeof operator !== 'string' || COMPARISONS[operator] === undefined) {
      throw invalid(`Unrecognized numeric range operator: ${String(operator)}`, path);
    }
    if (typeof limit !== 'number' || Math.abs(limit) > 5e9) {
      throw invalid('Value of a numeric comparison must be a number between -5.0e9 and +5.0e9', path);
    }
    bounds.push({ operator, limit });
  }
  const [lower, upper] = bounds;
  if (lower !== undefined && upper !== undefined) {
    const ordered = lower.operator.startsWith('>') && upper.operator.startsWith('<') && lower.limit < upper.limit;
    if (!ordered) throw invalid('Bottom of a numeric range must be below its top', path);
  }
  return (value) => bounds.every(({ operator, limit }) => COMPARISONS[operator]?.(value, limit) ?? false);
}

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

function cidrBlock(range: string, path: Path): BlockList {
  const [address = '', bits = ''] = range.split('/');
  const longest = isIP(address) === 6 ? 128 : 32;
  if (isIP(address) === 0 || !/^\d+$/.test(bits) || Number(bits) > longest) {
    throw invalid(`Malformed CIDR: ${range}`, path);
  }
  const block = new BlockList();
  block.addSubnet(address, Number(bits), family(address));
  return block;
}

/** `*` is any run of characters, `\*` and `\\` are themselves. */
function wildcardExpression(wildcard: string, path: Path): RegExp {
  if (wildcard.includes('**')) throw invalid('Consecutive wildcard characters', path);
  let expression = '';
  for (let i = 0; i < wildcard.length; i++) {
    const character = wildcard.charAt(i);
    if (character === '*') expression += '.*';
    else if (character === '\\') {
      const escaped = wildcard.charAt(++i);
      if (escaped !== '*' && escaped !== '\\') throw invalid('Invalid escape character', path);
      expression += `\\${escaped}`;
    } else expression += character.replace(/[.*+?^${}()|[\]\\/]/, '\\$&');
  }
  return new RegExp(`^${expression}$`, 's');
}
