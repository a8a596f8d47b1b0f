declare const brand: unique symbol;

/** Id of a session: 1–54 characters of `A–Z a–z 0–9 _ -` (WAHA's rule for session names). */
export type SessionName = string & { readonly [brand]: 'SessionName' };

const PATTERN = /^[A-Za-z0-9_-]{1,54}$/;

export const SESSION_NAME_RULE = '1 to 54 characters of A-Z a-z 0-9 _ -';

export function isSessionName(text: string): text is SessionName {
  return PATTERN.test(text);
}
