import * as z from 'zod';
import { until } from '#localstack/demo/until.ts';
import type { RunningPlatform } from './running-platform.ts';

const receivedSchema = z.object({
  n: z.number(),
  id: z.string(),
  from: z.string(),
  fromMe: z.boolean(),
  chat: z.string(),
  type: z.string(),
  text: z.string().optional(),
  caption: z.string().optional(),
  quotedId: z.string().optional(),
  mentions: z.array(z.string()).optional(),
  targetId: z.string().optional(),
  /** `sha256` in hex. */
  media: z.object({ mimetype: z.string(), sha256: z.string(), bytes: z.number() }).optional(),
  /** The protobuf message as JSON. */
  raw: z.record(z.string(), z.unknown()),
});
/** A message as a simulated phone has decrypted it. */
export type Received = z.infer<typeof receivedSchema>;

const chatEventSchema = z.object({
  n: z.number(),
  kind: z.enum(['receipt', 'typing']),
  from: z.string(),
  chat: z.string(),
  state: z.string(),
  ids: z.array(z.string()),
});
/** A receipt or typing as a simulated phone has seen it. */
export type ChatEvent = z.infer<typeof chatEventSchema>;

/** What a host had in hand when it died waits 15 s. */
const LONGEST_MS = 40_000;

/** A person of the simulated WhatsApp, or the phone behind a session. */
export class SimulatedContact {
  readonly phone: string;
  /** As the API names the chat with this person. */
  readonly chatId: string;
  readonly #running: Pick<RunningPlatform, 'simulator' | 'whatsapp'>;

  /** @param phone number of an account that the simulator has */
  constructor(running: Pick<RunningPlatform, 'simulator' | 'whatsapp'>, phone: string) {
    this.#running = running;
    this.phone = phone;
    this.chatId = `${phone}@c.us`;
  }

  async inbox(): Promise<readonly Received[]> {
    return z.array(receivedSchema).parse(await this.#get('inbox'));
  }

  /** Waits for the message with this id, which may be the long form. */
  async received(messageId: string): Promise<Received> {
    const id = messageId.split('_')[2] ?? messageId;
    return await until(
      `message ${id} at the contact`,
      async () => (await this.inbox()).find((entry) => entry.id === id),
      LONGEST_MS,
    );
  }

  async seen(what: string, wanted: (event: ChatEvent) => boolean): Promise<ChatEvent> {
    return await until(`${what} at the contact`, async () =>
      z
        .array(chatEventSchema)
        .parse(await this.#get('events'))
        .find(wanted),
    );
  }

  /** Sends to a phone number or a JID; resolves to the bare message id. */
  async send(to: string, content: object): Promise<string> {
    return (await this.#running.whatsapp.send(this.phone, { to, ...content })).id;
  }

  /** Reads what has come from `from`. */
  async read(from: string, type: 'read' | 'played' = 'read'): Promise<void> {
    await this.#running.whatsapp.post(`/admin/contacts/${this.phone}/read`, { to: from, type });
  }

  async #get(list: 'inbox' | 'events'): Promise<unknown> {
    const response = await fetch(`${this.#running.simulator.adminUrl}/admin/contacts/${this.phone}/${list}`);
    return await response.json();
  }
}

export async function addContact(
  running: Pick<RunningPlatform, 'simulator' | 'whatsapp'>,
  name: string,
  script: object = {},
): Promise<SimulatedContact> {
  const { phone } = await running.whatsapp.addContact({ name, script });
  return new SimulatedContact(running, phone);
}

/** What clients did against the protocol, and what the simulator does not know; both empty when all is well. */
export async function complaints({ whatsapp }: Pick<RunningPlatform, 'whatsapp'>): Promise<object> {
  const { violations, unknownIqs, unknownStanzas } = await whatsapp.stats();
  return { violations, unknownIqs, unknownStanzas };
}

export const NO_COMPLAINTS = { violations: [], unknownIqs: {}, unknownStanzas: {} };
