import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type Clock, systemClock } from './clock.ts';

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;
const STABLE_AFTER_MS = 30_000;

export interface HostProcessesOptions {
  /** The program each host runs, e.g. the path of `engine-host/host/main.ts`. */
  readonly program: string;
  /** Arguments for Node before the program. @default none */
  readonly nodeArguments?: readonly string[];
  /** How many hosts; their ids are `host-1`, `host-2`, … */
  readonly count: number;
  /** The whole environment of a host; its id is added as HOST_ID. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Every line a host writes. */
  readonly onLine?: (hostId: string, stream: 'stdout' | 'stderr', line: string) => void;
  /** A host runs: the first time, or again after it ended. */
  readonly onStart?: (hostId: string, pid: number, starts: number) => void;
  /** A host ended without being asked to; it is started again after `delayMs`. */
  readonly onUnexpectedExit?: (hostId: string, exit: HostExit, delayMs: number) => void;
  /** How long `stop` and `restart` wait after SIGTERM before SIGKILL. @default 10000 */
  readonly stopDeadlineMs?: number;
  readonly clock?: Clock;
}

interface HostExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface HostProcesses {
  /** The process of every host that runs now. */
  pids(): ReadonlyMap<string, number>;
  /** Sends a signal; a host that dies of it is started again. False if the host does not run. */
  kill(hostId: string, signal: NodeJS.Signals): boolean;
  /** Ends a host gracefully and starts it again; resolves when the new process runs. */
  restart(hostId: string): Promise<void>;
  /** Ends a host with this signal, SIGKILL after the deadline, and leaves it down; resolves when it has ended. */
  takeDown(hostId: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts a host that was taken down. */
  bringUp(hostId: string): void;
  /** SIGTERM to all, SIGKILL after the deadline; resolves when none is left. */
  stop(): Promise<void>;
}

/**
 * Runs engine hosts as child processes, as ECS runs them as tasks: one that ends is replaced. Each has an IPC channel
 * that carries nothing; its `disconnect` tells a host that the launcher is gone and that it should end.
 */
export function startHostProcesses(options: HostProcessesOptions): HostProcesses {
  const hosts = new Map(
    Array.from({ length: options.count }, (_, index) => {
      const id = `host-${index + 1}`;
      return [id, new HostProcess(id, options)] as const;
    }),
  );
  const find = (id: string) => {
    const host = hosts.get(id);
    if (host === undefined) throw new Error(`No host ${id}.`);
    return host;
  };
  const stop = async () => {
    await Promise.all([...hosts.values()].map((host) => host.stop('SIGTERM')));
  };
  // A launcher that dies without stopping must not leave hosts behind that nobody watches.
  const killAll = () => {
    for (const host of hosts.values()) host.kill('SIGKILL');
  };
  process.on('exit', killAll);
  for (const host of hosts.values()) host.start();
  return {
    pids: () => new Map([...hosts].flatMap(([id, { pid }]) => (pid === undefined ? [] : [[id, pid]]))),
    kill: (hostId, signal) => hosts.get(hostId)?.kill(signal) ?? false,
    restart: async (hostId) => {
      const host = find(hostId);
      await host.stop('SIGTERM');
      host.start();
    },
    takeDown: (hostId, signal) => find(hostId).stop(signal),
    bringUp: (hostId) => {
      const host = find(hostId);
      if (host.pid === undefined) host.start();
    },
    stop: async () => {
      await stop();
      process.off('exit', killAll);
    },
  };
}

class HostProcess {
  readonly #id: string;
  readonly #options: HostProcessesOptions;
  readonly #clock: Clock;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #cancelRestart: (() => void) | undefined;
  #wanted = false;
  #starts = 0;
  #failures = 0;

  constructor(id: string, options: HostProcessesOptions) {
    this.#id = id;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { program, nodeArguments = [], env, onStart } = this.#options;
    this.#wanted = true;
    this.#cancelRestart = undefined;
    const child = spawn(process.execPath, [...nodeArguments, program], {
      env: { ...env, HOST_ID: this.#id },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    const startedAt = this.#clock.now();
    this.#readLines('stdout', child.stdout);
    this.#readLines('stderr', child.stderr);
    this.#exited = new Promise((resolve) => {
      let ended = false;
      const onEnd = (exit: HostExit) => {
        if (ended) return;
        ended = true;
        this.#child = undefined;
        resolve();
        if (this.#wanted) this.#startAgain(exit, this.#clock.now() - startedAt);
      };
      child.once('exit', (code, signal) => onEnd({ code, signal }));
      // The program could not be run at all.
      child.once('error', () => onEnd({ code: null, signal: null }));
    });
    if (child.pid !== undefined) onStart?.(this.#id, child.pid, ++this.#starts);
  }

  kill(signal: NodeJS.Signals): boolean {
    return this.#child?.kill(signal) ?? false;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#wanted = false;
    this.#cancelRestart?.();
    this.#cancelRestart = undefined;
    this.kill(signal);
    const cancel = this.#clock.schedule(this.#options.stopDeadlineMs ?? 10_000, () => this.kill('SIGKILL'));
    await this.#exited;
    cancel();
  }

  #startAgain(exit: HostExit, upMs: number): void {
    if (upMs >= STABLE_AFTER_MS) this.#failures = 0;
    const delayMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures++);
    this.#options.onUnexpectedExit?.(this.#id, exit, delayMs);
    this.#cancelRestart = this.#clock.schedule(delayMs, () => this.start());
  }

  #readLines(stream: 'stdout' | 'stderr', source: Readable | null): void {
    if (source === null) return;
    // Read even when nobody listens: a full pipe would stop the host.
    createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
      this.#options.onLine?.(this.#id, stream, line);
    });
  }
}
