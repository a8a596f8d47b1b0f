import { createHash } from 'node:crypto';

/** What is stored of an API key: its SHA-256, hex. Keys are long and random, so a fast hash is enough. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
