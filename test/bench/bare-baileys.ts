import type * as z from 'zod';
import { pairedSchema, readySchema, receivedSchema, sentSchema } from './bare-baileys-messages.ts';
import { ChildLink } from './child-link.ts';
import { type ProcessUsage, processUsage } from './process-usage.ts';

/** Bare Baileys in a process of its own: the floor below every API on top of it. */
export class BareBaileys {
  readonly #link: ChildLink;

  private constructor(link: ChildLink) {
    this.#link = link;
  }

  static async start(simulator: { readonly wsUrl: string; readonly adminUrl: string }): Promise<BareBaileys> {
    const program = new URL('./bare-baileys-process.ts', import.meta.url);
    const { wsUrl, adminUrl } = simulator;
    const { link } = await ChildLink.start(program, { wsUrl, adminUrl }, readySchema);
    return new BareBaileys(link);
  }

  /** Phone numbers of all sockets, once there are this many. */
  async pair(sockets: number): Promise<readonly string[]> {
    return (await this.#link.ask({ do: 'pair', sockets }, pairedSchema)).phones;
  }

  send(contacts: readonly string[], messages: number, concurrency: number): Promise<z.infer<typeof sentSchema>> {
    return this.#link.ask({ do: 'send', contacts, messages, concurrency }, sentSchema);
  }

  async receive(messages: number): Promise<Readonly<Record<string, number>>> {
    return (await this.#link.ask({ do: 'receive', messages }, receivedSchema)).receivedAt;
  }

  usage(): Promise<ProcessUsage> {
    return processUsage(this.#link.pid);
  }

  stop(): Promise<void> {
    return this.#link.stop();
  }
}
