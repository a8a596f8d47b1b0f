import { createWriteStream, mkdirSync, statSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import * as z from 'zod';

/** A log that is longer at its opening starts anew. */
const LONGEST_BYTES = 50 * 1024 * 1024;

const loud = z.object({ level: z.enum(['warn', 'error', 'fatal']) });

/** What the engine hosts write: all of it into one file each, what matters to a person into the terminal as well. */
export interface HostLogs {
  /** A line of a host: kept, and shown when it is a warning or worse, or no log line at all. */
  write(hostId: string, stream: 'stdout' | 'stderr', line: string): void;
  /** Resolves when everything is in the files. */
  close(): Promise<void>;
}

/**
 * @param directory made where it is missing; the files are `host-1.log`, …
 * @param show prints a line
 * @param longestBytes of a file, checked when it is opened
 */
export function openHostLogs(
  directory: string,
  show: (line: string) => void,
  longestBytes: number = LONGEST_BYTES,
): HostLogs {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const files = new Map<string, WriteStream>();
  const open = (hostId: string): WriteStream => {
    const path = join(directory, `${hostId}.log`);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const file = createWriteStream(path, { flags: size > longestBytes ? 'w' : 'a', mode: 0o600 });
    // A full disk must not end the platform; the lines that matter are still shown.
    file.on('error', (error) => show(`${path} cannot be written: ${error.message}`));
    files.set(hostId, file);
    return file;
  };
  return {
    write: (hostId, stream, line) => {
      const file = files.get(hostId) ?? open(hostId);
      if (file.writable) file.write(`${line}\n`);
      if (stream === 'stderr' || isLoud(line)) show(`${hostId}: ${line}`);
    },
    close: async () => {
      await Promise.allSettled([...files.values()].map((file) => finished(file.end())));
    },
  };
}

function isLoud(line: string): boolean {
  try {
    return loud.safeParse(JSON.parse(line)).success;
  } catch {
    return true;
  }
}
