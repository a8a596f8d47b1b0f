import { fileTypeFromBuffer } from 'file-type';
import type { MediaSource } from '#shared/contracts/commands.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import type { RemoteFiles } from '#shared/ports/remote-file.ts';

export interface OutgoingMedia {
  readonly body: Buffer;
  readonly mimetype: string;
  readonly filename: string | undefined;
}

/**
 * Gets media that is to be sent, with a type: the client's word first, then the server's, then what the bytes say.
 * @throws NotFoundError, EngineError or DependencyError as the stores do
 */
export async function loadOutgoingMedia(
  source: MediaSource,
  media: MediaStore,
  remoteFiles: RemoteFiles,
): Promise<OutgoingMedia> {
  if (source.kind === 'object') {
    const stored = await media.get(source.key);
    return { body: Buffer.from(stored.body), mimetype: source.mimetype, filename: source.filename };
  }
  const file = await remoteFiles.fetch(source.url);
  const mimetype = source.mimetype ?? file.mimetype ?? (await fileTypeFromBuffer(file.body))?.mime;
  return {
    body: Buffer.from(file.body),
    mimetype: mimetype ?? 'application/octet-stream',
    filename: source.filename ?? file.filename,
  };
}
