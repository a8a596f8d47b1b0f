import type { filesOperations } from '#shared/contracts/api/files.ts';
import { mediaKey } from '#shared/contracts/media-keys.ts';
import { FileNotFoundError } from '../api-errors.ts';
import type { ApiDeps } from '../deps.ts';
import type { ApiHandlers } from '../request.ts';

const URL_LIFETIME_SECONDS = 900;

/** Received media: the function gives no bytes, only an address that works for a while. */
export function createFilesHandlers({ media }: Pick<ApiDeps, 'media'>): ApiHandlers<typeof filesOperations> {
  return {
    getFile: async ({ params }) => {
      const key = mediaKey.file(params.session, params.file);
      if (!(await media.exists(key))) throw new FileNotFoundError(`${params.session}/${params.file}`);
      const location = await media.presignedUrl(key, URL_LIFETIME_SECONDS);
      return { headers: { location }, content: { kind: 'none' } };
    },
  };
}
