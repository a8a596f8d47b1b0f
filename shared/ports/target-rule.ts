/**
 * What can be said against a URL that a user gave, without resolving its name. What it lets pass may still be refused
 * when it is requested.
 *
 * @returns the rule that it breaks: `must be http or https`
 */
export type RuleBrokenBy = (url: string) => string | undefined;
