import { jobsOperations } from '#shared/contracts/api/jobs.ts';
import { createAwsApiDeps } from '../aws-deps.ts';
import { createGroupFunction } from '../router.ts';
import { createJobsHandlers } from './jobs-handlers.ts';

const deps = createAwsApiDeps(process.env);

export const handler = createGroupFunction(jobsOperations, createJobsHandlers(deps), deps);
