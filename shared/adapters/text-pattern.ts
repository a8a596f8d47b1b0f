import type { CompileTextPattern, TextPattern } from '../ports/text-pattern.ts';
import { estimatedSize } from './pattern-size.ts';

/** The engine's own measure. A text takes time in proportion: with this many and a long text some tenths of a second. */
const MOST_INSTRUCTIONS = 1_000;
const LONGEST_TEXT = 4_096;
/** Patterns that are kept compiled, those used last. */
const KEPT = 200;

const kept = new Map<string, TextPattern>();

/** The engine is loaded when it is first used. */
export const compileTextPattern: CompileTextPattern = async (pattern) => {
  const known = kept.get(pattern);
  const compiled = known ?? (await compile(pattern));
  if (typeof compiled === 'string') return compiled;
  kept.delete(pattern);
  kept.set(pattern, compiled);
  const [oldest] = kept.keys();
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
  return compiled;
};

const compile: CompileTextPattern = async (pattern) => {
  // To compile one that is much too large takes seconds.
  if (estimatedSize(pattern) > MOST_INSTRUCTIONS) return 'too-large';
  const { RE2JS, RE2JSException } = await import('re2js');
  try {
    const compiled = RE2JS.compile(pattern);
    if (compiled.programSize() > MOST_INSTRUCTIONS) return 'too-large';
    return (text) => compiled.matcher(text.slice(0, LONGEST_TEXT)).find();
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return 'not-re2';
  }
};
