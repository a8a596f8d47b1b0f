import { type Account, pnJid } from './accounts.ts';
import {
  type ReadRequest,
  readSchema,
  type SendRequest,
  type SyncInput,
  sendSchema,
  syncSchema,
  type TypingRequest,
  typingSchema,
} from './admin-requests.ts';
import { changeOnPhone } from './app-state-phone.ts';
import { contentOf } from './command-content.ts';
import { type as showTyping } from './contact-script.ts';
import type { Received } from './inbox.ts';
import { NotFound } from './not-found.ts';
import type { Phone } from './phone.ts';
import { requestRetry, sendReceipt } from './phone-receipts.ts';
import { node } from './wire/binary-node.ts';
import { formatJid, type Jid, jid, parseJid } from './wire/jid.ts';

/** A phone number, a user JID or a group JID as the admin API takes it. */
function chatOf(text: string): Jid {
  return text.includes('@') ? parseJid(text) : jid(text.replace(/\D/g, ''), 's.whatsapp.net');
}

/** Builds and sends what the request asks for; answers with the message's id. */
export async function sendCommand(phone: Phone, input: SendRequest): Promise<{ id: string }> {
  const request = sendSchema.parse(input);
  const chat = chatOf(request.to);
  return { id: await phone.send({ chat, ...(await contentOf(phone, chat, request)) }) };
}

/** Does something on the phone that its linked clients hear of. */
export function syncCommand(phone: Phone, input: SyncInput): Promise<void> {
  return changeOnPhone(phone, chatOf, syncSchema.parse(input));
}

/** Shows the phone typing in a chat. */
export function typingCommand(phone: Phone, input: TypingRequest): void {
  const { to, state } = typingSchema.parse(input);
  showTyping(phone, chatOf(to), state);
}

/** Which message a phone wants to have again. */
export interface RetryRequest {
  readonly id: string;
  /** @default the chat with the client */
  readonly group?: string;
  /** By which address it names the client. @default 'pn' */
  readonly addressing?: 'lid' | 'pn';
}

/** Asks a linked client for a message that could not be read, whether or not the client has sent it to this chat. */
export function retryCommand(phone: Phone, of: Account, { id, group, addressing = 'pn' }: RetryRequest): Promise<void> {
  const client = [...of.devices.values()].find((device) => device.id > 0);
  if (!client) throw new NotFound(`${of.phone} has no client`);
  const author = addressing === 'lid' ? jid(of.lid, 'lid', client.id) : jid(of.phone, 's.whatsapp.net', client.id);
  const from = group === undefined ? { from: author } : { from: chatOf(group), participant: author };
  return phone.enqueue(async () => requestRetry(phone, node('message', { id, ...from, t: '1' }), author));
}

/** Sends read or played receipts for messages of a chat, one receipt per author. */
export function readCommand(phone: Phone, input: ReadRequest): void {
  const { to, ids, type } = readSchema.parse(input);
  const chat = chatOf(to);
  const account = phone.server.accounts.find(chat);
  const names = new Set([formatJid(chat), ...(account ? [formatJid(pnJid(account)), `${account.lid}@lid`] : [])]);
  const wanted = phone.inbox
    .since(0)
    .filter(({ entry }) => !entry.fromMe && names.has(entry.chat) && (ids === undefined || ids.includes(entry.id)));
  const byAuthor = new Map<string, { received: Received; ids: string[] }>();
  for (const received of wanted) {
    const author = formatJid(received.author);
    const group = byAuthor.get(author) ?? { received, ids: [] };
    group.ids.push(received.entry.id);
    byAuthor.set(author, group);
  }
  for (const { received, ids: read } of byAuthor.values()) {
    sendReceipt(phone, received.chat, received.author, read, type);
  }
}
