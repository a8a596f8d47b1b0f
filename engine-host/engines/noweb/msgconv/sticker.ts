import { type ContentReader, toNumber } from './content.ts';

export const readSticker: ContentReader = ({ stickerMessage }) =>
  stickerMessage
    ? {
        type: 'sticker',
        body: '',
        context: stickerMessage.contextInfo,
        media: {
          kind: 'sticker',
          source: stickerMessage,
          mimetype: stickerMessage.mimetype ?? 'image/webp',
          filename: null,
          bytes: toNumber(stickerMessage.fileLength),
        },
      }
    : undefined;
