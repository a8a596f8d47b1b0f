import { createHash } from 'node:crypto';

const HEX_DIGITS = 20;

/**
 * Names a webhook of a session by its URL, so that a changed configuration leaves the others where they are.
 *
 * @param occurrence how often the URL stands before it in the session's list; `global` for the installation's own webhook
 */
export function webhookEndpointId(url: string, occurrence: number | 'global'): string {
  const digest = createHash('sha256').update(`v1\0${url}\0${occurrence}`).digest('hex');
  return `wh_${digest.slice(0, HEX_DIGITS)}`;
}
