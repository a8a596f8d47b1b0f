import * as z from 'zod';
import type { LoadClient } from './load-client.ts';

const entrySchema = z.object({ n: z.number(), at: z.number(), kind: z.string(), phone: z.string().optional() });

/** A login of a phone's client that has become live, or has ended; `at` is milliseconds since 1970. */
export interface ConnectionChange {
  readonly at: number;
  readonly kind: 'active' | 'closed';
}

/** When clients were logged in, as the WhatsApp server saw it. */
export class ConnectionLog {
  readonly #admin: LoadClient;
  readonly #changes = new Map<string, ConnectionChange[]>();
  #read = 0;

  /** @param admin the simulator's admin API */
  constructor(admin: LoadClient) {
    this.#admin = admin;
  }

  /** Brings it up to now. @throws Error when the server has forgotten what was not read yet */
  async catchUp(): Promise<void> {
    for (;;) {
      const news = z.array(entrySchema).parse(await this.#admin.call('GET', `/admin/client-log?since=${this.#read}`));
      if (news.length === 0) return;
      for (const { n, at, kind, phone } of news) {
        if (this.#read > 0 && n !== this.#read + 1)
          throw new Error('The simulator has forgotten what was not read yet.');
        this.#read = n;
        if (phone !== undefined && (kind === 'active' || kind === 'closed')) this.#of(phone).push({ at, kind });
      }
    }
  }

  /** What the log says of a phone's clients, oldest first. */
  changes(phone: string): readonly ConnectionChange[] {
    return this.#of(phone);
  }

  #of(phone: string): ConnectionChange[] {
    const known = this.#changes.get(phone) ?? [];
    this.#changes.set(phone, known);
    return known;
  }
}
