import type { WAMessage } from '@whiskeysockets/baileys';
import type { MessageReference } from '#shared/contracts/commands.ts';
import type { EngineContext } from '../../engine.ts';
import type { LiveAccount } from './handler-context.ts';
import { messageOf } from './message-reference.ts';

/** The message a send replies to, if it does. */
export async function quoteOf(
  { quoted }: { readonly quoted?: MessageReference | undefined },
  live: LiveAccount,
  context: Pick<EngineContext, 'contentOf'>,
): Promise<{ quoted?: WAMessage }> {
  return quoted ? { quoted: await messageOf(quoted, live.meJid, context) } : {};
}
