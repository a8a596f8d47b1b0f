import { type ContentReader, toNumber } from './content.ts';

/** Videos, GIFs (which are videos) and round video notes. */
export const readVideo: ContentReader = ({ videoMessage, ptvMessage }) => {
  const video = videoMessage ?? ptvMessage;
  if (!video) return undefined;
  return {
    type: ptvMessage ? 'video-note' : 'video',
    body: video.caption ?? '',
    context: video.contextInfo,
    media: {
      kind: ptvMessage ? 'ptv' : 'video',
      source: video,
      mimetype: video.mimetype ?? 'video/mp4',
      filename: null,
      bytes: toNumber(video.fileLength),
    },
  };
};
