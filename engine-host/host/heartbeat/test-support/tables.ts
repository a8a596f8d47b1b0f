import { resourceNames } from '#shared/contracts/resources.ts';

/** Not those of an installation without a prefix: a worker that does not listen would find those. */
export const { tables: TABLES } = resourceNames({ RESOURCE_PREFIX: 'elsewhere', BUCKET_SUFFIX: '' });
