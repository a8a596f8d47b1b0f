import { createHash } from 'node:crypto';
import { fileTypeFromBuffer } from 'file-type';
import type { FileInput } from '#shared/contracts/api/file-field.ts';
import type { MediaSource, SendCommand } from '#shared/contracts/commands.ts';
import { mediaKey } from '#shared/contracts/media-keys.ts';
import { ValidationError } from '#shared/domain/errors.ts';
import { portRuleBrokenBy } from '#shared/domain/media-port.ts';
import { type MediaSend, mediaType, saidRuleBrokenBy } from '#shared/domain/media-types.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import type { ApiConfig } from '../deps.ts';
import type { Draft } from './send-message.ts';

export interface MediaDraft {
  readonly send: MediaSend;
  readonly file: FileInput;
  readonly commandWith: (media: MediaSource) => SendCommand;
}

/** Media of a send: how the job names it, and what has to be stored before the job may exist. */
interface OutgoingMedia {
  readonly source: MediaSource;
  /** Stores inline media; does nothing for media that is fetched by URL. */
  store(media: Pick<MediaStore, 'put'>): Promise<void>;
}

interface MediaDeps {
  readonly media: Pick<MediaStore, 'put'>;
  readonly config: Pick<ApiConfig, 'mediaPrivateHosts'>;
}

/** A send with media, which goes into the store if it comes with the request. */
export function mediaDraft({ media, config }: MediaDeps, { commandWith, ...draft }: MediaDraft): Draft {
  return {
    place: async (session, jobId) => {
      assertSendable(draft, config);
      const { source, store } = await outgoingMedia(session, jobId, draft);
      return { command: commandWith(source), store: () => store(media) };
    },
  };
}

/**
 * Refuses media that no host could ever fetch, or that is not what the send takes by what the client says itself.
 *
 * @throws ValidationError
 */
function assertSendable({ send, file }: Omit<MediaDraft, 'commandWith'>, { mediaPrivateHosts }: MediaDeps['config']) {
  const said = saidRuleBrokenBy(send, file.mimetype);
  if (said !== undefined) throw new ValidationError([{ path: 'file.mimetype', message: said }]);
  if (file.kind !== 'url') return;
  const rule = portRuleBrokenBy(new URL(file.url), mediaPrivateHosts);
  if (rule !== undefined) throw new ValidationError([{ path: 'file.url', message: rule }]);
}

/**
 * Decides where media will be, without storing anything. The key holds a hash of the content, so that the same job id
 * with other content is another object.
 *
 * @throws ValidationError for content that the send does not take
 */
async function outgoingMedia(
  session: string,
  jobId: string,
  { send, file }: Omit<MediaDraft, 'commandWith'>,
): Promise<OutgoingMedia> {
  const filename = file.filename === undefined ? {} : { filename: file.filename };
  if (file.kind === 'url') {
    const mimetype = file.mimetype === undefined ? {} : { mimetype: file.mimetype };
    return { source: { kind: 'url', url: file.url, ...mimetype, ...filename }, store: async () => {} };
  }
  const body = Buffer.from(file.data, 'base64');
  const typing = mediaType(send, { said: file.mimetype, found: (await fileTypeFromBuffer(body))?.mime });
  if (typing.kind === 'refused') throw new ValidationError([{ path: 'file.data', message: typing.rule }]);
  const { mimetype } = typing;
  const key = mediaKey.out(session, jobId, createHash('sha256').update(body).digest('hex').slice(0, 16));
  return {
    source: { kind: 'object', key, mimetype, ...filename },
    store: (media) => media.put(key, body, mimetype, file.filename),
  };
}
