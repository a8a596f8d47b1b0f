/**
 * A client (or a caller of the encoder) broke the wire protocol. The message is a sentence that names the rule and never
 * holds key material or message content. Not retryable: the connection it happened on must be closed.
 */
export class WireError extends Error {
  override readonly name = 'WireError';
}
