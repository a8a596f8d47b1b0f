import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PRELOAD = fileURLToPath(new URL('./profiler-preload.ts', import.meta.url));
const WRITING_MS = 2_000;

/** CPU profiles of the processes under load, for `--profile DIR`; without it nothing happens. */
export const profiling = {
  directory: undefined as string | undefined,
  /** More environment for the host, to try settings with. */
  hostEnv: {} as Readonly<Record<string, string>>,

  /** Environment of a process that can be profiled. */
  environment(name: string): Record<string, string> {
    if (this.directory === undefined) return {};
    return { NODE_OPTIONS: `--import ${PRELOAD}`, BENCH_PROFILE_DIR: this.directory, BENCH_PROFILE_NAME: name };
  },

  /** Profiles these processes while `run` runs. */
  async during<T>(label: string, pids: () => Promise<readonly number[]>, run: () => Promise<T>): Promise<T> {
    if (this.directory === undefined) return run();
    const profiled = await pids();
    process.stderr.write(`profiling ${label}\n`);
    for (const pid of profiled) process.kill(pid, 'SIGUSR2');
    try {
      return await run();
    } finally {
      for (const pid of profiled) process.kill(pid, 'SIGUSR2');
      await delay(WRITING_MS);
    }
  },
};
