import * as z from 'zod';

const inboxSchema = z.array(
  z.object({
    n: z.number(),
    id: z.string(),
    from: z.string(),
    type: z.string(),
    text: z.string().nullish(),
    caption: z.string().nullish(),
    media: z.object({ mimetype: z.string(), sha256: z.string(), bytes: z.number() }).nullish(),
  }),
);
/** A message as a simulated contact has decrypted it. */
export type InboxMessage = z.infer<typeof inboxSchema>[number];

const linkedSchema = z.object({ phone: z.string(), lid: z.string() });
const statsSchema = z.object({ unknownIqs: z.unknown(), violations: z.unknown() }).loose();

/** The simulator's admin API. Rejects with the simulator's own sentence when it says no. */
export class SimulatorAdmin {
  readonly #url: string;

  /** @param url e.g. `http://127.0.0.1:8080` */
  constructor(url: string) {
    this.#url = url;
  }

  /** Scans a QR code with the phone of this number (a new one without). */
  async scan(qr: string, phone?: string): Promise<z.infer<typeof linkedSchema>> {
    const query = phone === undefined ? '' : `?phone=${phone}`;
    return linkedSchema.parse(await this.#call('POST', `/admin/mock-phone/scan-qr${query}`, qr));
  }

  async enterCode(phone: string, code: string): Promise<void> {
    await this.#call('POST', '/admin/mock-phone/enter-code', JSON.stringify({ phone, code }));
  }

  async addContact(contact: object): Promise<z.infer<typeof linkedSchema>> {
    return linkedSchema.parse(await this.#call('POST', '/admin/contacts', JSON.stringify(contact)));
  }

  /** Messages after number `since`; waits up to `waitMs` for the first. */
  async inbox(phone: string, since: number, waitMs: number): Promise<readonly InboxMessage[]> {
    const path = `/admin/contacts/${phone}/inbox?since=${since}&waitMs=${waitMs}`;
    return inboxSchema.parse(await this.#call('GET', path));
  }

  async send(phone: string, message: object): Promise<{ readonly id: string }> {
    const answer = await this.#call('POST', `/admin/contacts/${phone}/send`, JSON.stringify(message));
    return z.object({ id: z.string() }).parse(answer);
  }

  async post(path: string, body: object): Promise<unknown> {
    return await this.#call('POST', path, JSON.stringify(body));
  }

  async stats(): Promise<z.infer<typeof statsSchema>> {
    return statsSchema.parse(await this.#call('GET', '/admin/stats'));
  }

  async #call(method: string, path: string, body?: string): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, { method, ...(body === undefined ? {} : { body }) });
    const answer: unknown = await response.json();
    if (!response.ok)
      throw new Error(`The simulator refuses ${method} ${path.split('?')[0]}: ${JSON.stringify(answer)}`);
    return answer;
  }
}
