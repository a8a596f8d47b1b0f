import type { CompileTextPattern } from '../ports/text-pattern.ts';

/** The engine is loaded when it is first used. */
export const compileTextPattern: CompileTextPattern = async (pattern) => {
  const { RE2JS, RE2JSException } = await import('re2js');
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matcher(text).find();
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return undefined;
  }
};
