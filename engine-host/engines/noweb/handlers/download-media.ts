import { proto } from '@whiskeysockets/baileys';
import type { CommandHandlers } from '../../engine.ts';
import { readContent } from '../msgconv/read-content.ts';
import { NOT_CONNECTED } from '../sender.ts';
import type { HandlerContext } from './handler-context.ts';
import { keyOf } from './message-reference.ts';
import { outcomeOfFailure } from './outcome-of-failure.ts';

/** Whoever has the message has the key. The connection is for what WhatsApp has dropped: the phone is asked for it. */
export function createDownloadMedia({
  context,
  storeMedia,
  mediaStored,
  mended,
}: HandlerContext): NonNullable<CommandHandlers['downloadMedia']> {
  return async ({ message }) => {
    const live = await mended();
    if (!live) return NOT_CONNECTED;
    try {
      const bytes = await context.contentOf(message.id, message);
      const media = bytes && readContent(proto.Message.decode(bytes))?.media;
      if (!media) return NO_MEDIA;
      context.assertOwned();
      const key = keyOf(message, live.meJid);
      const stored = await storeMedia(key, media);
      context.assertOwned();
      if (stored.error === null) await mediaStored(key, stored);
      return { kind: 'done', result: { media: stored } };
    } catch (error) {
      return outcomeOfFailure(error);
    }
  };
}

const NO_MEDIA = {
  kind: 'rejected',
  code: 'media-missing',
  message: 'The message is not known any more, or has no media',
} as const;
