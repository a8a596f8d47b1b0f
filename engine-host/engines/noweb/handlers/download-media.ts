import { proto } from '@whiskeysockets/baileys';
import type { CommandHandlers } from '../../engine.ts';
import { readContent } from '../msgconv/read-content.ts';
import type { HandlerContext } from './handler-context.ts';
import { outcomeOfFailure } from './outcome-of-failure.ts';

/** Needs no connection: whoever has the message has the key, and WhatsApp gives the file to anybody. */
export function createDownloadMedia({
  context,
  storeMedia,
}: HandlerContext): NonNullable<CommandHandlers['downloadMedia']> {
  return async ({ message: { id } }) => {
    try {
      const bytes = await context.sentContent(id);
      const media = bytes && readContent(proto.Message.decode(bytes))?.media;
      if (!media) return NO_MEDIA;
      context.assertOwned();
      return { kind: 'done', result: { media: await storeMedia(id, media) } };
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
