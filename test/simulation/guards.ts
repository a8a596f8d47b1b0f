import type { Breach } from './books.ts';

interface GuardFacts {
  readonly what: string;
  /** The rules of which one must notice that it is gone. */
  readonly rules: readonly string[];
}

/** Everything that keeps the promise, by name. The simulation's wiring leaves one out at a time. */
export const GUARDS = {
  'self-fence': { what: 'a host whose heartbeat is overdue does nothing', rules: ['owner'] },
  seal: { what: 'a new owner takes the position at which the one before would go on', rules: ['R1', 'R8'] },
  registration: { what: 'a host’s row is replaced only by whoever has seen it', rules: ['owner'] },
  'epoch-condition': { what: 'a shard is acquired only under the epoch that was seen', rules: ['owner'] },
  'append-condition': { what: 'a journal position is written once', rules: ['R1', 'R8'] },
  'wire-gate': { what: 'a message waits until its ratchet step is durable', rules: ['R1'] },
  'ack-gate': { what: 'an acknowledgement waits until what it acknowledges is durable', rules: ['R2'] },
  'pairing-gate': { what: 'the answer to a pairing waits until the credentials are durable', rules: ['R3'] },
  'frozen-content': { what: 'a message goes out as it was frozen before its first try', rules: ['R4'] },
  'message-id': { what: 'a job’s message id never changes', rules: ['R4'] },
  'server-ack': { what: 'a job ends only with the server’s answer', rules: ['R5'] },
  'publish-before-clear': { what: 'an event leaves the journal only after the bus has it', rules: ['R6'] },
  'log-before-bus': { what: 'the bus hears of an event when the log has it', rules: ['log'] },
  'message-group': { what: 'no message of a lane passes one that waits', rules: ['R7'] },
  'ciphertext-memory': { what: 'a ciphertext that comes again gives its kept plaintext', rules: ['R2'] },
} as const satisfies Readonly<Record<string, GuardFacts>>;

export type Guard = keyof typeof GUARDS;

export function isGuard(name: string): name is Guard {
  return name in GUARDS;
}

/** The breach that shows what the guard was there for. Another rule may be broken before, in another run. */
export function noticed(guard: Guard, breaches: readonly Breach[]): Breach | undefined {
  const rules: readonly string[] = GUARDS[guard].rules;
  return breaches.find(({ rule }) => rules.includes(rule));
}
