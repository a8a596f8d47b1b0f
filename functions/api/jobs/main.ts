import { jobsOperations } from '#shared/contracts/api/jobs.ts';
import { createApiBase } from '../composition/base.ts';
import { createStores } from '../composition/stores.ts';
import { createGroupFunction } from '../router.ts';
import { createJobsHandlers } from './jobs-handlers.ts';

const base = createApiBase(process.env);
const deps = { ...base, ...createStores(base) };

export const handler = createGroupFunction(jobsOperations, createJobsHandlers(deps), deps);
