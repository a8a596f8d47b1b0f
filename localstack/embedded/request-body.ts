import type { IncomingMessage } from 'node:http';

/** How far beyond the limit a body is still read, so that its sender gets to see the answer. */
const DISCARD_FACTOR = 8;

/**
 * Reads a whole request body; undefined if it is longer than `limitBytes`. What is too long is discarded, up to a
 * multiple of the limit: a connection cut under a sender shows as a reset, not as an answer. Rejects if the client
 * goes away.
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer | undefined> {
  const mostBytes = limitBytes * DISCARD_FACTOR;
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) return undefined;
  let chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > mostBytes) break;
    if (length > limitBytes) chunks = [];
    else chunks.push(chunk);
  }
  if (length > limitBytes) return undefined;
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
