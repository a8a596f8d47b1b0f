import { type ContentReader, toNumber } from './content.ts';

export const readImage: ContentReader = ({ imageMessage }) =>
  imageMessage
    ? {
        type: 'image',
        body: imageMessage.caption ?? '',
        context: imageMessage.contextInfo,
        media: {
          kind: 'image',
          source: imageMessage,
          mimetype: imageMessage.mimetype ?? 'image/jpeg',
          filename: null,
          bytes: toNumber(imageMessage.fileLength),
        },
      }
    : undefined;
