import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type * as z from 'zod';

const STOP_DEADLINE_MS = 30_000;

/** A child process that is asked one question after the other over its IPC channel. */
export class ChildLink {
  readonly #child: ChildProcess;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws Error when the child ends before its first message */
  static async start<T>(
    program: URL,
    argument: object,
    first: z.ZodType<T>,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ link: ChildLink; first: T }> {
    const child = fork(program, [JSON.stringify(argument)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
    });
    const link = new ChildLink(child);
    return { link, first: first.parse(await link.#next()) };
  }

  /** @throws Error when the child ends before it has answered */
  ask<T>(question: object, answer: z.ZodType<T>): Promise<T> {
    const asked = this.#turn.then(async () => {
      this.#child.send(question);
      return answer.parse(await this.#next());
    });
    this.#turn = asked.catch(() => {});
    return asked;
  }

  /** Lets go of the child, which ends by that; kills it when it does not. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await exited;
    clearTimeout(timer);
  }

  /** Lets it die in the middle of whatever it does. */
  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  async #next(): Promise<unknown> {
    const ended = new AbortController();
    const exit = once(this.#child, 'exit', { signal: ended.signal }).then(([code]) => {
      throw new Error(`A child process ended with ${code}.`);
    });
    exit.catch(() => {});
    try {
      const [message]: unknown[] = await Promise.race([once(this.#child, 'message', { signal: ended.signal }), exit]);
      return message;
    } finally {
      ended.abort();
    }
  }
}
