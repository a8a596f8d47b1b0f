import { LazyMediaStore, loadS3MediaStore } from '#shared/adapters/lazy-media-store.ts';
import type { ApiDeps } from '../deps.ts';
import type { ApiBase } from './base.ts';

/** What is in S3. */
export function createMedia({ env, names: { buckets }, clients }: ApiBase): Pick<ApiDeps, 'media'> {
  const load = loadS3MediaStore({ pathStyle: env.S3_PATH_STYLE, client: clients.s3 });
  return { media: new LazyMediaStore(buckets.media, load) };
}
