/** Finds a pattern in a text, in time linear to the text's length. */
export type TextPattern = (text: string) => boolean;

/** Compiles an RE2 pattern. @returns undefined when it is none */
export type CompileTextPattern = (pattern: string) => Promise<TextPattern | undefined>;
