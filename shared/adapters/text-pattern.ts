/** Finds a pattern in a text, in time linear to the text's length. */
export type TextPattern = (text: string) => boolean;

/**
 * Compiles an RE2 pattern; its engine is loaded when it is first used.
 * @returns undefined when it is none
 */
export async function compileTextPattern(pattern: string): Promise<TextPattern | undefined> {
  const { RE2JS, RE2JSException } = await import('re2js');
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matcher(text).find();
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return undefined;
  }
}
