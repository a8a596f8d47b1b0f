import { primaryOf } from './accounts.ts';
import type { Received } from './inbox.ts';
import type { Phone } from './phone.ts';
import { sendReceipt } from './phone-receipts.ts';
import { routeChatState } from './presence.ts';
import { node } from './wire/binary-node.ts';
import type { Jid } from './wire/jid.ts';

const ANSWERED = new Set(['text', 'image', 'video', 'audio', 'voice', 'document', 'sticker', 'location', 'contact']);

/** Does what the script says about a message that has just been read. */
export function runScript(phone: Phone, { entry, chat, author }: Received): void {
  const { script, server } = phone;
  const { receiptDelayMs } = server.settings;
  if (script.readReceipts) sendReceipt(phone, chat, author, [entry.id], 'read');
  const reply = script.reply;
  if (!reply || chat.server === 'g.us' || chat.server === 'broadcast' || !ANSWERED.has(entry.type)) return;
  const text = reply === 'echo' ? (entry.text ?? entry.caption ?? entry.type) : reply.text;
  if (script.typing) server.later(receiptDelayMs, () => type(phone, chat, 'composing'));
  server.later(receiptDelayMs, () => {
    phone.send({ chat, message: { conversation: text } }).catch((error: unknown) => {
      server.stats.violation(`scripted reply: ${error instanceof Error ? error.message : String(error)}`);
    });
    if (script.typing) type(phone, chat, 'paused');
  });
}

/** Shows the contact typing, recording or stopping in a chat. */
export function type(phone: Phone, chat: Jid, state: 'composing' | 'recording' | 'paused'): void {
  const content = state === 'recording' ? node('composing', { media: 'audio' }) : node(state);
  routeChatState(phone.server, primaryOf(phone.account), node('chatstate', { to: chat }, [content]));
}
