import type { AnyMessageContent } from '@whiskeysockets/baileys';
import type { CommandOf } from '#shared/contracts/commands.ts';
import type { CommandHandlers, CommandOutcome, JobContext } from '../../engine.ts';
import { loadOutgoingMedia, type OutgoingMedia } from '../media-out.ts';
import { voiceSeconds } from '../voice-length.ts';
import type { HandlerContext } from './handler-context.ts';
import { mentionsOf } from './mentions.ts';
import { chatOf } from './message-reference.ts';
import { quoteOf } from './quote.ts';

type MediaCommand = CommandOf<'sendImage' | 'sendFile' | 'sendVideo' | 'sendVoice'>;

export function createSendMedia(
  handler: HandlerContext,
): Required<Pick<CommandHandlers, 'sendImage' | 'sendFile' | 'sendVideo' | 'sendVoice'>> {
  return {
    sendImage: (command, job) =>
      send(handler, command, job, async (media) => ({
        image: media.body,
        // Without one Baileys would make it, of whatever comes, however large that is once it is decoded.
        ...(await handler.previews.of(media.body)),
        ...shared(command, media),
      })),
    sendFile: (command, job) =>
      send(handler, command, job, (media) => ({
        document: media.body,
        ...shared(command, media),
        ...(media.filename ? { fileName: media.filename } : {}),
      })),
    sendVideo: (command, job) =>
      send(handler, command, job, (media) => ({
        video: media.body,
        ptv: command.asNote === true,
        // Without one Baileys would start ffmpeg to make a thumbnail.
        jpegThumbnail: '',
        ...shared(command, media),
      })),
    sendVoice: (command, job) =>
      send(handler, command, job, (media) => ({
        audio: media.body,
        ptt: true,
        mimetype: voiceType(media.mimetype),
        ...lengthOf(media),
      })),
  };
}

function send(
  { sender, context, uploads }: HandlerContext,
  command: MediaCommand,
  job: JobContext,
  content: (media: OutgoingMedia) => AnyMessageContent | Promise<AnyMessageContent>,
): Promise<CommandOutcome> {
  return sender.send(chatOf(command.chatId), job, async (live) => {
    const ports = { media: context.media, remoteFiles: context.remoteFiles, queue: uploads, signal: job.signal };
    const media = await loadOutgoingMedia(command.type, command.media, ports);
    try {
      const mentions = 'mentions' in command ? await mentionsOf(command, live) : {};
      const quote = await quoteOf(command, live, context);
      return { content: { ...(await content(media)), ...mentions }, ...quote, built: media.release };
    } catch (error) {
      media.release();
      throw error;
    }
  });
}

function shared(command: { readonly caption?: string | undefined }, media: OutgoingMedia) {
  return { mimetype: media.mimetype, ...(command.caption ? { caption: command.caption } : {}) };
}

function lengthOf({ body }: OutgoingMedia): { readonly seconds?: number } {
  const seconds = voiceSeconds(body);
  return seconds === undefined ? {} : { seconds };
}

/** Phones play a voice message only when its type names the codec. */
function voiceType(mimetype: string): string {
  return /^audio\/(?:ogg|opus)$/i.test(mimetype.trim()) ? 'audio/ogg; codecs=opus' : mimetype;
}
