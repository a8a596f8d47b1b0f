import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { LoadClient } from './load-client.ts';

const inboxSchema = z.array(z.object({ n: z.number(), id: z.string(), receivedAt: z.number() }));
/** A message as the contact decrypted it, at `receivedAt` milliseconds since 1970. */
export type Delivery = z.infer<typeof inboxSchema>[number];

const DEADLINE_MS = 60_000;

/** A simulated contact that decrypts everything it gets. */
export class Contact {
  readonly phone: string;
  readonly #admin: LoadClient;
  #seen = 0;

  private constructor(admin: LoadClient, phone: string) {
    this.#admin = admin;
    this.phone = phone;
  }

  static async create(admin: LoadClient, name: string): Promise<Contact> {
    const answer = await admin.call('POST', '/admin/contacts', { name, script: { decrypt: 'all' } });
    return new Contact(admin, z.object({ phone: z.string() }).parse(answer).phone);
  }

  /**
   * The next messages, `count` of them. Looks at once when one comes, and after a pause for the others.
   * @throws Error when they are not there in time
   */
  async deliveries(count: number, pauseMs = 0): Promise<readonly Delivery[]> {
    const deadline = performance.now() + DEADLINE_MS;
    const found: Delivery[] = [];
    while (found.length < count) {
      if (performance.now() > deadline)
        throw new Error(`Only ${found.length} of ${count} messages arrived at the contact.`);
      if (pauseMs > 0) await delay(pauseMs);
      const path = `/admin/contacts/${this.phone}/inbox?since=${this.#seen}&waitMs=5000`;
      const news = inboxSchema.parse(await this.#admin.call('GET', path));
      this.#seen = news.at(-1)?.n ?? this.#seen;
      found.push(...news);
    }
    return found;
  }

  /** Sends a text; resolves to its id on the wire. */
  async send(to: string, text: string): Promise<string> {
    const answer = await this.#admin.call('POST', `/admin/contacts/${this.phone}/send`, { to, text });
    return z.object({ id: z.string() }).parse(answer).id;
  }
}
