import * as z from 'zod';
import { jobStateSchema } from '../jobs.ts';
import { jobSchema } from './bodies.ts';
import { queryInteger, sessionParam } from './fields.ts';
import { defineOperations } from './operation.ts';

const params = z.object({ session: sessionParam });
const jobParams = params.extend({
  id: z.string().regex(/^job_[A-Za-z0-9]{1,64}$/, { error: 'must be the id of a job' }),
});
const common = { session: 'params.session', engines: 'all', own: true } as const;

export const jobsOperations = defineOperations('jobs', {
  listJobs: {
    ...common,
    method: 'GET',
    path: '/api/{session}/jobs',
    scope: 'read',
    summary: 'List jobs, the newest first: what was sent, what waits and why',
    makes: 'read',
    request: {
      params,
      query: z.object({
        state: jobStateSchema.optional(),
        limit: queryInteger(1, 100).default(20),
        offset: queryInteger(0, 100_000).default(0),
      }),
    },
    response: { status: 200, schema: z.array(jobSchema) },
  },
  getJob: {
    ...common,
    method: 'GET',
    path: '/api/{session}/jobs/{id}',
    scope: 'read',
    summary: 'Get a job: how far a send or a command has come',
    makes: 'read',
    request: { params: jobParams },
    response: { status: 200, schema: jobSchema },
  },
  cancelJob: {
    ...common,
    method: 'DELETE',
    path: '/api/{session}/jobs/{id}',
    scope: 'send',
    summary: 'Cancel a send that still waits; 409 once it may have left',
    makes: 'intent',
    request: { params: jobParams },
    response: { status: 200, schema: jobSchema },
  },
});
