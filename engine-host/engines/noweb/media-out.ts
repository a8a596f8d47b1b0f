import { fileTypeFromBuffer } from 'file-type';
import type { MediaSource } from '#shared/contracts/commands.ts';
import { EngineError } from '#shared/domain/errors.ts';
import { type MediaSend, mediaType } from '#shared/domain/media-types.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import type { RemoteFiles } from '#shared/ports/remote-file.ts';

export interface OutgoingMedia {
  readonly body: Buffer;
  readonly mimetype: string;
  readonly filename: string | undefined;
}

/**
 * Gets media that is to be sent, held to what its send takes. The API has done that with what came in a request.
 *
 * @throws NotFoundError, EngineError (also `media-refused` for another type) or DependencyError, as the stores do
 */
export async function loadOutgoingMedia(
  send: MediaSend,
  source: MediaSource,
  media: MediaStore,
  remoteFiles: RemoteFiles,
): Promise<OutgoingMedia> {
  if (source.kind === 'object') {
    const stored = await media.get(source.key);
    return { body: Buffer.from(stored.body), mimetype: source.mimetype, filename: source.filename };
  }
  const file = await remoteFiles.fetch(source.url);
  const found = (await fileTypeFromBuffer(file.body))?.mime;
  const typing = mediaType(send, { said: source.mimetype ?? file.mimetype, found });
  if (typing.kind === 'refused') throw new EngineError('media-refused', `The file ${typing.rule}`);
  return {
    body: Buffer.from(file.body),
    mimetype: typing.mimetype,
    filename: source.filename ?? file.filename,
  };
}
