/** Finds a pattern in a text, or in the beginning of a long one: the first 4,096 characters. Takes time linear to that. */
export type TextPattern = (text: string) => boolean;

/**
 * Compiles an RE2 pattern.
 *
 * @returns `not-re2` when it is none; `too-large` when it has more than 1,000 instructions, of which a repeat has as many as it may
 *   repeat something
 */
export type CompileTextPattern = (pattern: string) => Promise<TextPattern | 'not-re2' | 'too-large'>;
