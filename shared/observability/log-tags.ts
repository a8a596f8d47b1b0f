import { createHmac, randomBytes } from 'node:crypto';

const TAG_HEX_DIGITS = 8;

let tagKey: Uint8Array = randomBytes(32);

/** Sets the key of all tags of this process, so that logs of several processes can be joined. */
export function configureLogTags(key: string | Uint8Array): void {
  tagKey = typeof key === 'string' ? Buffer.from(key) : key;
}

/**
 * Stands for an id (session, chat, message, key) in a log: the same id gives the same tag, and a tag tells nothing
 * about its id to whoever lacks the key. Without `configureLogTags` the key is random for each process.
 */
export function tag(value: string): string {
  return createHmac('sha256', tagKey).update(value).digest('hex').slice(0, TAG_HEX_DIGITS);
}
