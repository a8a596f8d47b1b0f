import { createHash } from 'node:crypto';
import { downloadContentFromMessage } from '@whiskeysockets/baileys';
import type { WaMessage } from '#shared/contracts/events.ts';
import { mediaKey } from '#shared/contracts/media-keys.ts';
import { isBareMessageId } from '#shared/domain/message-id.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import { mediaExtension } from './media-extension.ts';
import type { MediaContent } from './msgconv/content.ts';

export interface MediaLimits {
  readonly maxBytes: number;
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
    // A redelivery finds what an earlier one stored; nobody can replace a file by sending its id again.
    if (!(await store.exists(key))) {
      const body = await download(content, limits);
      await store.put(key, body, content.mimetype, content.filename ?? undefined);
    }
    return { url: `/api/${key}`, ...named, s3: { Bucket: store.bucket, Key: key }, error: null };
  } catch (error) {
    return { url: null, ...named, s3: null, error: error instanceof Error ? error.message : 'download failed' };
  }
}

/** A message's id becomes part of a key, and its sender chooses it. */
function safeName(messageId: string): string {
  return isBareMessageId(messageId) ? messageId : createHash('sha256').update(messageId).digest('hex');
}

async function download({ kind, source, bytes }: MediaContent, limits: MediaLimits): Promise<Buffer> {
  if (bytes > limits.maxBytes) throw new Error('the media is larger than this installation stores');
  let timer: NodeJS.Timeout | undefined;
  let abandoned = false;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      abandoned = true;
      reject(new Error('the media did not arrive in time'));
    }, limits.timeoutMs);
  });
  const body = async (): Promise<Buffer> => {
    const stream = await downloadContentFromMessage(source, kind);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream) {
      if (abandoned) break;
      size += chunk.length;
      if (size > limits.maxBytes) throw new Error('the media is larger than this installation stores');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  };
  return Promise.race([body(), timeout]).finally(() => clearTimeout(timer));
}
