import * as z from 'zod';
import { jobSchema } from './bodies.ts';
import { sessionParam } from './fields.ts';
import { defineOperations } from './operation.ts';

export const jobsOperations = defineOperations('jobs', {
  getJob: {
    method: 'GET',
    path: '/api/{session}/jobs/{id}',
    scope: 'read',
    summary: 'Get a job: how far a send or a command has come',
    session: 'params.session',
    makes: 'read',
    engines: 'all',
    own: true,
    request: {
      params: z.object({
        session: sessionParam,
        id: z.string().regex(/^job_[A-Za-z0-9]{1,64}$/, { error: 'must be the id of a job' }),
      }),
    },
    response: { status: 200, schema: jobSchema },
  },
});
