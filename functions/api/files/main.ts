import { filesOperations } from '#shared/contracts/api/files.ts';
import { createApiBase } from '../composition/base.ts';
import { createMedia } from '../composition/media.ts';
import { createStores } from '../composition/stores.ts';
import { createGroupFunction } from '../router.ts';
import { createFilesHandlers } from './files-handlers.ts';

const base = createApiBase(process.env);
const deps = { ...base, ...createStores(base), ...createMedia(base) };

export const handler = createGroupFunction(filesOperations, createFilesHandlers(deps), deps);
