import { type ContentReader, toNumber } from './content.ts';

export const readDocument: ContentReader = ({ documentMessage }) =>
  documentMessage
    ? {
        type: 'document',
        body: documentMessage.caption ?? '',
        context: documentMessage.contextInfo,
        media: {
          kind: 'document',
          source: documentMessage,
          mimetype: documentMessage.mimetype ?? 'application/octet-stream',
          filename: documentMessage.fileName ?? documentMessage.title ?? null,
          bytes: toNumber(documentMessage.fileLength),
        },
      }
    : undefined;
