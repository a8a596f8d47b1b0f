import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { findCallSites } from './kill-calls.ts';
import type { KillPoint } from './kill-points.ts';

const PRELOAD = new URL('./kill-preload.ts', import.meta.url).href;
const helloSchema = z.object({ pid: z.number() });

/** The run's end of the connections from the hosts' preloads. */
export class KillControl {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Every thread of a process has a connection. */
  readonly #byPid = new Map<number, Set<Socket>>();
  /** By connection: who waits for its words, in order. */
  readonly #awaited = new Map<Socket, ((heard: boolean) => void)[]>();
  /** By process: when it was first heard of, ms since 1970. */
  readonly #since = new Map<number, number>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#welcome(socket));
  }

  /** @throws Error when the product lacks a method at which hosts are to be killed */
  static async start(): Promise<KillControl> {
    findCallSites();
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new KillControl(server);
  }

  /** Environment of a host that can be told where to end. */
  get environment(): Readonly<Record<string, string>> {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The control has no TCP address.');
    return { NODE_OPTIONS: `--import ${PRELOAD}`, CHAOS_CONTROL_PORT: String(address.port) };
  }

  /** When a process had just begun to run, ms since 1970; undefined when it has not said so yet. */
  startOf(pid: number): number | undefined {
    return this.#since.get(pid);
  }

  /** Makes a process end at this point. @returns whether it has heard of it */
  async arm(pid: number, point: KillPoint): Promise<boolean> {
    const threads = [...(this.#byPid.get(pid) ?? [])];
    const heard = threads.map((socket) => {
      socket.write(`${point}\n`);
      const { promise, resolve } = Promise.withResolvers<boolean>();
      this.#awaited.set(socket, [...(this.#awaited.get(socket) ?? []), resolve]);
      return promise;
    });
    return heard.length > 0 && (await Promise.all(heard)).every(Boolean);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #welcome(socket: Socket): void {
    this.#sockets.add(socket);
    let pid: number | undefined;
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => {
      if (pid !== undefined) {
        this.#awaited.get(socket)?.shift()?.(true);
        return;
      }
      pid = helloSchema.parse(JSON.parse(line)).pid;
      this.#byPid.set(pid, (this.#byPid.get(pid) ?? new Set()).add(socket));
      if (!this.#since.has(pid)) this.#since.set(pid, Date.now());
    });
    // A process that is killed resets its connection; both hear of it.
    lines.on('error', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      for (const resolve of this.#awaited.get(socket) ?? []) resolve(false);
      this.#awaited.delete(socket);
      if (pid !== undefined) this.#byPid.get(pid)?.delete(socket);
    });
  }
}
