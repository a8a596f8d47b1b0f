import type { proto } from '@whiskeysockets/baileys';
import type { WaMessage } from '#shared/contracts/events.ts';
import { jidToChatId } from '../ids.ts';
import { readContent } from './read-content.ts';

/** The message a reply refers to, as far as the reply carries it. Its media is named, never downloaded. */
export function readQuoted(context: proto.IContextInfo | null | undefined): WaMessage['replyTo'] {
  if (!context?.stanzaId) return null;
  const content = context.quotedMessage ? readContent(context.quotedMessage) : undefined;
  const media = content?.media;
  return {
    id: context.stanzaId,
    participant: jidToChatId(context.participant) ?? null,
    body: content?.body ?? null,
    hasMedia: media !== undefined,
    media: media ? { url: null, mimetype: media.mimetype, filename: media.filename, error: null } : null,
  };
}
