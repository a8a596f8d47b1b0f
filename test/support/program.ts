import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from '#localstack/demo/until.ts';

/** A program of this project as its user runs it. */
export interface Program {
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Waits until stdout has it; resolves with its groups. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, null when a signal ended it. */
  readonly exited: Promise<number | null>;
}

/** @param main path from the root of the project */
export function runProgram(main: string, args: readonly string[], env: Record<string, string> = {}): Program {
  const path = fileURLToPath(new URL(`../../${main}`, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [path, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  // All output has come when the pipes are closed, not when the process has ended.
  const exited = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null));
  return {
    pid: child.pid ?? 0,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    prints: (pattern) =>
      until(`a line like ${pattern}`, async () => {
        const found = pattern.exec(stdout);
        if (found === null && child.exitCode !== null) throw new Error(`It ended: ${stdout}${stderr}`);
        return found ?? undefined;
      }),
    kill: (signal) => void child.kill(signal),
    exited,
  };
}
