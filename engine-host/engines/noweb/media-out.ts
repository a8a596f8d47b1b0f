import { fileTypeFromBuffer } from 'file-type';
import { MAX_INLINE_BYTES } from '#shared/contracts/api/file-field.ts';
import type { MediaSource } from '#shared/contracts/commands.ts';
import { EngineError } from '#shared/domain/errors.ts';
import { type MediaSend, mediaType, saidRuleBrokenBy } from '#shared/domain/media-types.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import type { RemoteFiles } from '#shared/ports/remote-file.ts';
import type { MediaQueue } from './media-queue.ts';

/** A part of what one try of a job may take. */
const ROOM_MS = 60_000;

export interface OutgoingMedia {
  readonly body: Buffer;
  readonly mimetype: string;
  readonly filename: string | undefined;
  /** To be called when the body is not needed any more: others wait for its room. */
  release(): void;
}

export interface OutgoingMediaPorts {
  readonly media: Pick<MediaStore, 'get'>;
  readonly remoteFiles: RemoteFiles;
  /** Of what is sent, on the whole host. */
  readonly queue: Pick<MediaQueue, 'hold'>;
  /** Aborted when nobody waits for the media any more. */
  readonly signal: AbortSignal;
}

/**
 * Gets media that is to be sent, once there is room for it, held to what its send takes. The API has done the latter with
 * what came in a request.
 *
 * @throws NotFoundError, EngineError (also `media-refused` for another type) or DependencyError, as the stores do; NoRoomError after
 *   a minute without room
 */
export async function loadOutgoingMedia(
  send: MediaSend,
  source: MediaSource,
  ports: OutgoingMediaPorts,
): Promise<OutgoingMedia> {
  if (source.kind === 'url') return await fetched(send, source, ports);
  const { mimetype, filename } = source;
  return await holding(ports, MAX_INLINE_BYTES, async () => {
    const { body } = await ports.media.get(source.key);
    return { body, mimetype, filename };
  });
}

async function fetched(
  send: MediaSend,
  source: Extract<MediaSource, { kind: 'url' }>,
  ports: OutgoingMediaPorts,
): Promise<OutgoingMedia> {
  const file = await ports.remoteFiles.open(source.url);
  try {
    const said = source.mimetype ?? file.mimetype;
    const broken = saidRuleBrokenBy(send, said);
    if (broken !== undefined) throw refused(broken);
    return await holding(ports, file.mostBytes, async () => {
      const body = await file.read();
      const typing = mediaType(send, { said, found: (await fileTypeFromBuffer(body))?.mime });
      if (typing.kind === 'refused') throw refused(typing.rule);
      return { body, mimetype: typing.mimetype, filename: source.filename ?? file.filename };
    });
  } finally {
    file.close();
  }
}

async function holding(
  { queue, signal }: OutgoingMediaPorts,
  bytes: number,
  load: () => Promise<Omit<OutgoingMedia, 'release' | 'body'> & { readonly body: Uint8Array }>,
): Promise<OutgoingMedia> {
  const release = await queue.hold(bytes, AbortSignal.any([signal, AbortSignal.timeout(ROOM_MS)]));
  try {
    const { body, ...named } = await load();
    return { ...named, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), release };
  } catch (error) {
    release();
    throw error;
  }
}

function refused(rule: string): EngineError {
  return new EngineError('media-refused', `The file ${rule}`);
}
