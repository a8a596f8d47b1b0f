const METHODS = ['log', 'info', 'warn', 'error', 'debug'] as const;

/** How the Signal library's prints begin, for builds in which its file name is no longer in the stack. */
const BEGINNINGS = [
  'Closing session',
  'Opening session',
  'Session already',
  'Removing old closed session',
  'Migrating session to',
  'Closing open session',
  'Decrypted message with closed session',
  'Failed to decrypt message',
  'Session error',
  'V1 session storage migration error',
  'Unhandled bucket type',
  'WARNING: Expected pubkey',
];
const SOURCE = /[\\/]libsignal[\\/]/;
const SILENCED = Symbol.for('trunkline.libsignal-silenced');

/**
 * Keeps what the Signal library prints off the console: it prints whole session records, private keys included.
 * Everything else passes. Safe to call more than once.
 */
export function silenceLibsignal(target: Console = console): void {
  if (Reflect.get(target, SILENCED) === true) return;
  Reflect.set(target, SILENCED, true);
  for (const method of METHODS) {
    const print = target[method].bind(target);
    const filtered = (...values: unknown[]): void => {
      if (!isLibsignal(values, filtered)) print(...values);
    };
    target[method] = filtered;
  }
}

function isLibsignal(values: readonly unknown[], below: (...values: unknown[]) => void): boolean {
  const [first] = values;
  if (typeof first === 'string' && BEGINNINGS.some((beginning) => first.startsWith(beginning))) return true;
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, below);
  return SOURCE.test(trace.stack?.split('\n')[1] ?? '');
}
