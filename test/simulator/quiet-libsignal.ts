/**
 * libsignal 6 prints session records, private keys included, through the global console.
 * The prints are recognised by how they begin; everything else passes through untouched.
 */
const PRINTS = [
  'Closing session',
  'Opening session',
  'Session already',
  'Removing old closed session',
  'Closing open session',
  'Failed to decrypt message with any known session',
  'Session error:',
  'Decrypted message with closed session',
  'Migrating session',
  'V1 session storage migration error',
  'WARNING: Expected pubkey',
  'Unhandled bucket type',
];

const METHODS = ['log', 'info', 'warn', 'error'] as const;

let silenced = false;

/** Silences libsignal's console prints in this process, for good. Calling it again changes nothing. */
export function silenceLibsignal(): void {
  if (silenced) return;
  silenced = true;
  for (const method of METHODS) {
    const print = console[method].bind(console);
    console[method] = (...args: unknown[]) => {
      const first = args[0];
      if (typeof first === 'string' && PRINTS.some((prefix) => first.startsWith(prefix))) return;
      print(...args);
    };
  }
}
