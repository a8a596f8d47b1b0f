/** Everything that keeps the promise, by name. The simulation's wiring leaves one out at a time. */
export const GUARDS = {
  'self-fence': 'a host whose heartbeat is overdue does nothing',
  seal: 'a new owner takes the position at which the one before would go on',
  'epoch-condition': 'a shard is acquired only under the epoch that was seen',
  'append-condition': 'a journal position is written once',
  'wire-gate': 'a frame waits until the state before it is durable',
  'ack-gate': 'an acknowledgement waits until what it acknowledges is durable',
  'frozen-content': 'a message goes out as it was frozen before its first try',
  'message-id': 'a job’s message id never changes',
  'server-ack': 'a job ends only with the server’s answer',
  'publish-before-clear': 'an event leaves the journal only after the bus has it',
  'ciphertext-memory': 'a ciphertext that comes again gives its kept plaintext',
} as const;

export type Guard = keyof typeof GUARDS;

export function isGuard(name: string): name is Guard {
  return name in GUARDS;
}
