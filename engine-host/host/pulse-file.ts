import { writeFile } from 'node:fs/promises';
import { ConfigError } from './config-error.ts';

/**
 * A file that is written again at every beat: whoever watches the process takes an old one for a host that hangs. It
 * says that the host's own loop goes round, not that anything the host needs can be reached.
 *
 * @param report told when it cannot be written any more
 * @throws ConfigError if it cannot be written at all
 */
export async function openPulseFile(path: string, report: (error: unknown) => void): Promise<() => void> {
  try {
    await writeFile(path, '');
  } catch (error) {
    throw new ConfigError(`PULSE_FILE: ${error instanceof Error ? error.message : String(error)}`);
  }
  return () => void writeFile(path, '').catch(report);
}
