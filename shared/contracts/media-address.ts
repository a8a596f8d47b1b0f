import { filePath } from './media-keys.ts';
import type { MessageView, WaMedia, WaMessage } from './message.ts';

/**
 * Media as clients of the API at `baseUrl` see it. The address is made from where the file is, whatever address it had before,
 * so that one of another time or of another installation cannot last.
 *
 * @param baseUrl without a slash at its end; empty for the path alone, as rows have it
 */
export function mediaAt(baseUrl: string, media: WaMedia): WaMedia {
  return { ...media, url: media.s3 ? `${baseUrl}${filePath(media.s3.Key)}` : null };
}

/** A message as clients of the API at `baseUrl` see it: all its media at addresses that they can open. */
export function messageAt(baseUrl: string, message: WaMessage): MessageView {
  const seen = withMediaAt(baseUrl, message);
  return { ...seen, mediaUrl: seen.media?.url ?? '' };
}

/** A message as rows have it: no address in it that could change. */
export function withoutAddresses({ mediaUrl: _address, ...message }: MessageView): WaMessage {
  return withMediaAt('', message);
}

function withMediaAt(baseUrl: string, message: WaMessage): WaMessage {
  const { media, replyTo } = message;
  return {
    ...message,
    media: media && mediaAt(baseUrl, media),
    ...(replyTo?.media && { replyTo: { ...replyTo, media: mediaAt(baseUrl, replyTo.media) } }),
  };
}
