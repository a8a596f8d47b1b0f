import { createHash } from 'node:crypto';
import { fileTypeFromBuffer } from 'file-type';
import type { FileInput } from '#shared/contracts/api/file-field.ts';
import type { MediaSource } from '#shared/contracts/commands.ts';
import { mediaKey } from '#shared/contracts/media-keys.ts';
import { ValidationError } from '#shared/domain/errors.ts';
import { portRuleBrokenBy } from '#shared/domain/media-port.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import type { ApiConfig } from '../deps.ts';

/** Media of a send: how the job names it, and what has to be stored before the job may exist. */
export interface OutgoingMedia {
  readonly source: MediaSource;
  /** Stores inline media; does nothing for media that is fetched by URL. */
  store(media: MediaStore): Promise<void>;
}

/**
 * Refuses media that no host could ever fetch.
 *
 * @throws ValidationError
 */
export function assertFetchable(file: FileInput, { mediaPrivateHosts }: Pick<ApiConfig, 'mediaPrivateHosts'>): void {
  if (file.kind !== 'url') return;
  const rule = portRuleBrokenBy(new URL(file.url), mediaPrivateHosts);
  if (rule !== undefined) throw new ValidationError([{ path: 'file.url', message: rule }]);
}

/**
 * Decides where media will be, without storing anything. The key holds a hash of the content, so that the same job id
 * with other content is another object.
 *
 * @param fallbackType media type when neither the client nor the content tells
 */
export async function outgoingMedia(
  session: string,
  jobId: string,
  file: FileInput,
  fallbackType: string | undefined,
): Promise<OutgoingMedia> {
  const filename = file.filename === undefined ? {} : { filename: file.filename };
  if (file.kind === 'url') {
    const mimetype = file.mimetype === undefined ? {} : { mimetype: file.mimetype };
    return { source: { kind: 'url', url: file.url, ...mimetype, ...filename }, store: async () => {} };
  }
  const body = Buffer.from(file.data, 'base64');
  const mimetype =
    file.mimetype ?? fallbackType ?? (await fileTypeFromBuffer(body))?.mime ?? 'application/octet-stream';
  const key = mediaKey.out(session, jobId, createHash('sha256').update(body).digest('hex').slice(0, 16));
  return {
    source: { kind: 'object', key, mimetype, ...filename },
    store: (media) => media.put(key, body, mimetype, file.filename),
  };
}
