import { createHash } from 'node:crypto';
import type { WAMessageKey } from '@whiskeysockets/baileys';
import { filePath, mediaKey } from '#shared/contracts/media-keys.ts';
import type { WaMedia } from '#shared/contracts/message.ts';
import { isBareMessageId } from '#shared/domain/message-id.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import { givenAddress } from './ids.ts';
import { type DownloadOptions, downloadMedia, MediaError, MediaGoneError, TOO_LATE } from './media-download.ts';
import { mediaExtension } from './media-extension.ts';
import type { MediaQueue } from './media-queue.ts';
import type { MediaReuploads, Patience, Reupload } from './media-reuploads.ts';
import type { MediaContent } from './msgconv/content.ts';

export interface MediaLimits extends Omit<DownloadOptions, 'signal'> {
  /** What it may take until the media is in the bucket, without the wait for its turn. */
  readonly timeoutMs: number;
}

export interface IncomingMediaPorts {
  readonly session: string;
  readonly store: MediaStore;
  readonly queue: Pick<MediaQueue, 'add'>;
  readonly phone: Pick<MediaReuploads, 'ask'>;
  readonly limits: MediaLimits;
}

const NOT_UPLOADED: Readonly<Record<Exclude<Reupload['kind'], 'uploaded'>, string>> = {
  missing: 'neither WhatsApp nor the phone has the media any more',
  refused: 'WhatsApp does not have the media any more, and the phone did not upload it again',
  silent: 'WhatsApp does not have the media any more, and the phone did not answer',
};

/** Gets received media from WhatsApp into the media bucket, if need be by way of the owner's phone. */
export class IncomingMedia {
  readonly #ports: IncomingMediaPorts;

  constructor(ports: IncomingMediaPorts) {
    this.#ports = ports;
  }

  /** Never throws: what went wrong is in the payload. @param patience with a phone that does not answer */
  async fetch(key: WAMessageKey, content: MediaContent, patience: Patience): Promise<WaMedia> {
    const { session, store } = this.#ports;
    const named = { mimetype: content.mimetype, filename: content.filename };
    const place = mediaKey.file(session, `${nameOf(key)}.${mediaExtension(content.mimetype, content.filename)}`);
    const time = new TimeLimit(this.#ports.limits.timeoutMs);
    try {
      try {
        await this.#store(place, content, time);
      } catch (error) {
        if (!(error instanceof MediaGoneError)) throw error;
        await this.#store(place, await this.#uploadedAgain(key, content, time, patience), time);
      }
      return { url: filePath(place), ...named, s3: { Bucket: store.bucket, Key: place }, error: null };
    } catch (error) {
      const reason = error instanceof MediaError ? error.message : 'the media could not be downloaded';
      return { url: null, ...named, s3: null, error: reason };
    }
  }

  async #store(place: string, content: MediaContent, time: TimeLimit): Promise<void> {
    const { store, queue, limits } = this.#ports;
    await queue.add(content.bytes, limits.maxBytes, (maxBytes) =>
      time.spend(async (signal) => {
        // A redelivery finds what an earlier one stored; its sender cannot replace it by sending its id again.
        if (await store.exists(place)) return;
        const body = await downloadMedia(content, { ...limits, maxBytes, signal });
        await store.put(place, body, content.mimetype, content.filename ?? undefined);
      }),
    );
  }

  /** Nobody's turn is held up by the wait for the phone. @throws MediaError */
  async #uploadedAgain(
    key: WAMessageKey,
    content: MediaContent,
    time: TimeLimit,
    patience: Patience,
  ): Promise<MediaContent> {
    const { source } = content;
    const mediaKey = source.mediaKey ?? new Uint8Array();
    const reupload = await time.count(() => this.#ports.phone.ask({ key, mediaKey, timeoutMs: time.leftMs, patience }));
    if (reupload.kind !== 'uploaded') throw new MediaError(NOT_UPLOADED[reupload.kind]);
    return { ...content, source: { ...source, directPath: reupload.directPath } };
  }
}

/** Time for several things that are done one after the other, with pauses in between that do not count. */
class TimeLimit {
  #leftMs: number;

  constructor(ms: number) {
    this.#leftMs = ms;
  }

  get leftMs(): number {
    return this.#leftMs;
  }

  /** For work that ends by itself. */
  async count<T>(work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    return await work().finally(() => {
      this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - begun));
    });
  }

  /** @throws MediaError when the work is not done in time; what of it cannot be ended goes on, and nobody hears of it */
  async spend<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const over = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new MediaError(TOO_LATE));
        over.abort();
      }, this.#leftMs);
    });
    return await this.count(() => Promise.race([work(over.signal), late]).finally(() => clearTimeout(timer)));
  }
}

/**
 * The message's id and a digest of which message it is: its sender chooses the id, and whoever knows one can send another
 * message under it, in another chat or the same group. By the addresses that came with it, which are the same each time.
 */
function nameOf({ id, fromMe, remoteJid, remoteJidAlt, participant, participantAlt }: WAMessageKey): string {
  const chat = givenAddress(remoteJid, remoteJidAlt) ?? remoteJid;
  const author = fromMe ? 'me' : givenAddress(participant, participantAlt);
  const whole = sha256(JSON.stringify([id, chat, author]));
  return `${isBareMessageId(id ?? '') ? id : sha256(id ?? '')}-${whole.slice(0, 16)}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
