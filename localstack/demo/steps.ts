import { createHash } from 'node:crypto';
import * as z from 'zod';
import { waMessageSchema } from '#shared/contracts/message.ts';
import type { Platform } from '../start/platform.ts';
import type { SimulatorAdmin } from '../start/simulator-admin.ts';
import type { ApiClient } from './api-client.ts';
import { demoImage } from './demo-image.ts';
import type { RuleTarget } from './rule-target.ts';
import { until } from './until.ts';

/** What the steps work on. */
export interface DemoWorld {
  readonly platform: Platform;
  readonly api: ApiClient;
  readonly whatsapp: SimulatorAdmin;
  /** Queue behind a rule for incoming messages. */
  readonly target: RuleTarget;
  /** Phone number of a simulated contact. */
  readonly contact: string;
}

export interface DemoStep {
  readonly name: string;
  /** Returns what is worth showing. @throws whatever went wrong */
  run(world: DemoWorld): Promise<string>;
}

const SESSION = 'demo';
const TEXT = 'Hello from Trunkline';
const ANSWER = 'Hello back. Got both.';
const LATER = 'And I am still here.';
const statusSchema = z.object({ status: z.string(), me: z.object({ id: z.string() }).nullable() });
const session = async ({ api }: DemoWorld) => statusSchema.parse(await api.get(`/api/sessions/${SESSION}`));
const working = (world: DemoWorld) =>
  until('WORKING', async () => {
    const { status, me } = await session(world);
    if (status === 'FAILED') throw new Error('The session FAILED.');
    return status === 'WORKING' && me !== null ? me : undefined;
  });

/** Waits until the contact has decrypted the message with this id. */
async function received(
  { whatsapp, contact }: DemoWorld,
  sent: unknown,
  check: (message: { text?: string | null | undefined; sha256: string | undefined }) => boolean,
) {
  const id = waMessageSchema.parse(sent).id.split('_')[2] ?? '';
  const message = await until('the message at the contact', async () => {
    const inbox = await whatsapp.inbox(contact, 0, 1_000);
    return inbox.find((entry) => entry.id === id);
  });
  if (!check({ text: message.text, sha256: message.media?.sha256 }))
    throw new Error('The contact decrypted something else than what was sent.');
  return message;
}

/** The demonstration, in order. Each step can be run after the host was killed behind the one before. */
export const DEMO_STEPS: readonly DemoStep[] = [
  {
    name: 'create a session over HTTP',
    run: async ({ api }) => {
      const created = statusSchema.parse(await api.post('/api/sessions', { name: SESSION }));
      return `POST /api/sessions → ${created.status}`;
    },
  },
  {
    name: 'read its QR code over HTTP',
    run: async ({ api }) => {
      const png = await until('the QR code', () =>
        api.raw('GET', `/api/${SESSION}/auth/qr`).then(
          async (response) => new Uint8Array(await response.arrayBuffer()),
          () => undefined,
        ),
      );
      return `GET /api/${SESSION}/auth/qr → PNG, ${png.length} bytes`;
    },
  },
  {
    name: 'scan it with a simulated phone, WORKING',
    run: async (world) => {
      const linked = await until('a scan of the QR code on show', async () => {
        try {
          const { value } = z
            .object({ value: z.string() })
            .parse(await world.api.get(`/api/${SESSION}/auth/qr?format=raw`));
          return await world.whatsapp.scan(value);
        } catch {
          return undefined;
        }
      });
      const me = await working(world);
      if (me.id !== `${linked.phone}@c.us`) throw new Error('The session is linked to another phone.');
      return 'STARTING → SCAN_QR_CODE → WORKING';
    },
  },
  {
    name: 'send a text, the contact decrypts it',
    run: async (world) => {
      const sent = await world.api.post('/api/sendText', { session: SESSION, chatId: world.contact, text: TEXT });
      const message = await received(world, sent, ({ text }) => text === TEXT);
      return `“${message.text}”`;
    },
  },
  {
    name: 'send an image, the contact decrypts it',
    run: async (world) => {
      const image = await demoImage();
      const file = { mimetype: 'image/png', filename: 'trunkline.png', data: Buffer.from(image).toString('base64') };
      const sent = await world.api.post('/api/sendImage', {
        session: SESSION,
        chatId: world.contact,
        file,
        caption: 'A picture',
      });
      const sha256 = createHash('sha256').update(image).digest();
      await received(
        world,
        sent,
        (message) => message.sha256 === sha256.toString('hex') || message.sha256 === sha256.toString('base64'),
      );
      return `${image.length} bytes, same SHA-256 at the contact`;
    },
  },
  {
    name: 'the contact answers, an EventBridge event arrives at a rule’s target',
    run: async (world) => {
      const me = await working(world);
      await world.whatsapp.send(world.contact, { to: me.id.replace('@c.us', ''), text: ANSWER });
      const event = await world.target.next(
        (envelope) => envelope.event === 'message' && envelope.payload.body === ANSWER,
      );
      return `${event.event} ${event.id}`;
    },
  },
  {
    name: 'read the chat over HTTP',
    run: async ({ api, contact }) => {
      const path = `/api/${SESSION}/chats/${contact}@c.us/messages?limit=10&sortOrder=asc`;
      const bodies = await until('the answer in the chat', async () => {
        const messages = z.array(waMessageSchema).parse(await api.get(path));
        const read = messages.map((message) => message.body);
        return read.includes(ANSWER) && read.includes(TEXT) ? read : undefined;
      });
      return `${bodies.length} messages`;
    },
  },
  {
    name: 'send a poll, the contact votes, the vote is read',
    run: async (world) => {
      const poll = { name: 'Does it work?', options: ['yes', 'no'], multipleAnswers: false };
      const sent = await world.api.post('/api/sendPoll', { session: SESSION, chatId: world.contact, poll });
      const { id } = await received(world, sent, ({ text }) => text === poll.name);
      const me = await working(world);
      await world.whatsapp.send(world.contact, { to: me.id.replace('@c.us', ''), vote: { id, options: ['yes'] } });
      const vote = await world.target.next(({ event }) => event === 'poll.vote');
      if (vote.event !== 'poll.vote') throw new Error('The rule let something else through.');
      return `${vote.event}: ${vote.payload.vote.selectedOptions.join()}`;
    },
  },
  {
    name: 'stop the host and start it, WORKING without a QR code',
    run: async (world) => {
      const before = await session(world);
      const statuses = world.target.statusesFromNow();
      await world.platform.hosts.restart('host-1');
      await until('a new WORKING', async () => ((await statuses()).at(-1) === 'WORKING' ? true : undefined));
      const seen = await statuses();
      if (seen.includes('SCAN_QR_CODE')) throw new Error('The session asked for a QR code again.');
      const me = await working(world);
      if (me.id !== before.me?.id) throw new Error('The session is another account now.');
      return seen.join(' → ');
    },
  },
  {
    name: 'send again, the contact decrypts it',
    run: async (world) => {
      const sent = await world.api.post('/api/sendText', { session: SESSION, chatId: world.contact, text: LATER });
      const message = await received(world, sent, ({ text }) => text === LATER);
      return `“${message.text}”`;
    },
  },
];
