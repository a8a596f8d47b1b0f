import { createHash } from 'node:crypto';
import type { WaMessage } from '#shared/contracts/events.ts';
import { mediaKey } from '#shared/contracts/media-keys.ts';
import { isBareMessageId } from '#shared/domain/message-id.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import { type DownloadOptions, downloadMedia, MediaError, TOO_LATE } from './media-download.ts';
import { mediaExtension } from './media-extension.ts';
import type { MediaContent } from './msgconv/content.ts';

export interface MediaLimits extends Omit<DownloadOptions, 'signal'> {
  /** From the first question to the bucket until the media is in it. */
  readonly timeoutMs: number;
}

type MediaPayload = NonNullable<WaMessage['media']>;

/** Gets received media from WhatsApp into the media bucket. Never throws: what went wrong is in the payload. */
export async function storeIncomingMedia(
  session: string,
  messageId: string,
  content: MediaContent,
  store: MediaStore,
  limits: MediaLimits,
): Promise<MediaPayload> {
  const named = { mimetype: content.mimetype, filename: content.filename };
  const name = `${safeName(messageId)}.${mediaExtension(content.mimetype, content.filename)}`;
  const key = mediaKey.file(session, name);
  try {
    await within(limits.timeoutMs, async (signal) => {
      // A redelivery finds what an earlier one stored; nobody can replace a file by sending its id again.
      if (await store.exists(key)) return;
      const body = await downloadMedia(content, { ...limits, signal });
      await store.put(key, body, content.mimetype, content.filename ?? undefined);
    });
    return { url: `/api/${key}`, ...named, s3: { Bucket: store.bucket, Key: key }, error: null };
  } catch (error) {
    const reason = error instanceof MediaError ? error.message : 'the media could not be downloaded';
    return { url: null, ...named, s3: null, error: reason };
  }
}

/** @throws MediaError when the work is not done in time; what of it cannot be ended goes on, and nobody hears of it */
async function within(timeoutMs: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new MediaError(TOO_LATE));
      over.abort();
    }, timeoutMs);
  });
  await Promise.race([work(over.signal), late]).finally(() => clearTimeout(timer));
}

/** A message's id becomes part of a key, and its sender chooses it. */
function safeName(messageId: string): string {
  return isBareMessageId(messageId) ? messageId : createHash('sha256').update(messageId).digest('hex');
}
