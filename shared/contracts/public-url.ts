import * as z from 'zod';

/** Of a URL that paths can be put behind: no user, query or fragment. */
const isBase = (text: string): boolean => {
  const { username, password, search, hash } = new URL(text);
  return `${username}${password}${search}${hash}` === '';
};

/**
 * Address at which the clients of this installation reach its HTTP API, for links in answers and events: http or https, a path
 * (a stage, a proxy's prefix) if need be. Read without the slash at its end.
 */
export const publicUrlSchema = z
  .url({ protocol: /^https?$/, error: 'must be the http or https address of the API', abort: true })
  .refine(isBase, { error: 'must be an address without user, query and fragment' })
  .transform((url) => new URL(url).href.replace(/\/+$/, ''));
