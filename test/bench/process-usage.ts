import { readFile } from 'node:fs/promises';

/** What a process has used so far, from Linux' /proc. */
export interface ProcessUsage {
  /** User and system time of all its threads, in milliseconds; counted in steps of 10. */
  readonly cpuMs: number;
  readonly rssMb: number;
  /** The most it ever was. */
  readonly peakMb: number;
}

const MS_PER_TICK = 10;

/** @throws Error when there is no such process, or no /proc */
export async function processUsage(pid: number): Promise<ProcessUsage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // The name, in parentheses, may contain spaces; the fields behind it are fixed.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const megabytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
    rssMb: megabytes('VmRSS'),
    peakMb: megabytes('VmHWM'),
  };
}
