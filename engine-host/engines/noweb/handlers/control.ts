import { chatIdToJid } from '#shared/domain/chat-id.ts';
import type { CommandHandlers, CommandOutcome } from '../../engine.ts';
import { jidToChatId } from '../ids.ts';
import { NOT_CONNECTED } from '../sender.ts';
import type { HandlerContext, LiveAccount } from './handler-context.ts';
import { chatOf, keyOf } from './message-reference.ts';
import { outcomeOfFailure } from './outcome-of-failure.ts';

type Controls = 'sendSeen' | 'setTyping' | 'checkExists' | 'requestPairingCode';

/** Commands that send no message. */
export function createControls(handler: HandlerContext): Required<Pick<CommandHandlers, Controls>> {
  return {
    sendSeen: ({ messages }) =>
      ask(handler, async ({ sock, meJid }) => {
        await sock.readMessages(messages.map((message) => keyOf(message, meJid)));
        return {};
      }),

    setTyping: ({ chatId, typing }) =>
      ask(handler, async ({ sock }) => {
        await sock.sendPresenceUpdate(typing ? 'composing' : 'paused', chatIdToJid(chatOf(chatId)));
        return {};
      }),

    checkExists: ({ phone }) =>
      ask(handler, async ({ sock }) => {
        const [found] = (await sock.onWhatsApp(phone.replace(/\D/g, ''))) ?? [];
        const chatId = found?.exists ? jidToChatId(found.jid) : undefined;
        return chatId ? { numberExists: true, chatId } : { numberExists: false };
      }),

    requestPairingCode: ({ phone }) => pairingCode(handler, phone),
  };
}

async function ask(
  handler: HandlerContext,
  query: (live: LiveAccount) => Promise<Record<string, unknown>>,
): Promise<CommandOutcome> {
  const live = await handler.mended();
  if (!live) return NOT_CONNECTED;
  try {
    handler.context.assertOwned();
    return { kind: 'done', result: await query(live) };
  } catch (error) {
    return outcomeOfFailure(error);
  }
}

async function pairingCode(handler: HandlerContext, phone: string): Promise<CommandOutcome> {
  const current = handler.current();
  if (current?.phase !== 'pairing') {
    return {
      kind: 'rejected',
      code: 'wrong-state',
      message: 'A pairing code can be requested only while the session waits to be paired (SCAN_QR_CODE)',
    };
  }
  try {
    handler.context.assertOwned();
    const code = await current.sock.requestPairingCode(phone.replace(/\D/g, ''));
    return { kind: 'done', result: { code: `${code.slice(0, 4)}-${code.slice(4)}` } };
  } catch (error) {
    return outcomeOfFailure(error);
  }
}
