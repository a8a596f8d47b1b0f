import { type ContentReader, toNumber } from './content.ts';

/** Voice messages and audio files. */
export const readAudio: ContentReader = ({ audioMessage }) =>
  audioMessage
    ? {
        type: audioMessage.ptt ? 'voice' : 'audio',
        body: '',
        context: audioMessage.contextInfo,
        media: {
          kind: audioMessage.ptt ? 'ptt' : 'audio',
          source: audioMessage,
          mimetype: audioMessage.mimetype ?? 'audio/ogg; codecs=opus',
          filename: null,
          bytes: toNumber(audioMessage.fileLength),
        },
      }
    : undefined;
