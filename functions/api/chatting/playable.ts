import type { FileInput } from '#shared/contracts/api/file-field.ts';
import { NotSupportedError } from '#shared/domain/errors.ts';

/** Media types that WhatsApp plays as they are. */
const PLAYED = { voice: 'audio/ogg', video: 'video/mp4' } as const;

/**
 * Nothing is converted yet. Clients ask for it as a matter of course, so it is refused only for media that is known to
 * need it.
 *
 * @throws NotSupportedError
 */
export function assertPlayable(kind: keyof typeof PLAYED, file: FileInput, convert: boolean | null | undefined): void {
  if (!convert || file.mimetype === undefined) return;
  const given = file.mimetype.split(';')[0]?.trim().toLowerCase();
  if (given === PLAYED[kind]) return;
  throw new NotSupportedError('Send a file that is already ogg/opus or mp4; conversion is not built yet');
}
