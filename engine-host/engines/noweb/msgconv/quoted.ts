import type { proto } from '@whiskeysockets/baileys';
import type { WaMessage } from '#shared/contracts/message.ts';
import { type LookUpOther, resolveAddress } from '../ids.ts';
import { readContent } from './read-content.ts';

/** The message a reply refers to, as far as the reply carries it. Its media is named, never downloaded. */
export async function readQuoted(
  context: proto.IContextInfo | null | undefined,
  lookUp: LookUpOther,
): Promise<WaMessage['replyTo']> {
  if (!context?.stanzaId) return null;
  const content = context.quotedMessage ? readContent(context.quotedMessage) : undefined;
  const media = content?.media;
  const author = await resolveAddress(context.participant, undefined, lookUp);
  return {
    id: context.stanzaId,
    participant: author?.id ?? null,
    body: content?.body ?? null,
    hasMedia: media !== undefined,
    media: media ? { url: null, mimetype: media.mimetype, filename: media.filename, error: null } : null,
    _data: { lid: author?.lid ?? null },
  };
}
