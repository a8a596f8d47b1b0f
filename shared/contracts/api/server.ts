import * as z from 'zod';
import { healthSchema, versionSchema } from './bodies.ts';
import { defineOperations } from './operation.ts';

const base = { method: 'GET', session: null, makes: 'none', engines: 'all', request: {} } as const;

export const serverOperations = defineOperations('server', {
  ping: {
    ...base,
    path: '/ping',
    scope: 'public',
    summary: 'Answer at once',
    response: { status: 200, schema: z.object({ message: z.literal('pong') }) },
  },
  health: {
    ...base,
    path: '/health',
    scope: 'public',
    summary: 'Check that what the API depends on answers',
    response: { status: 200, schema: healthSchema, also: { 503: healthSchema } },
  },
  getServerVersion: {
    ...base,
    path: '/api/server/version',
    scope: 'read',
    summary: 'Get the version',
    response: { status: 200, schema: versionSchema },
  },
  getVersion: {
    ...base,
    path: '/api/version',
    scope: 'read',
    summary: 'Get the version',
    deprecated: true,
    response: { status: 200, schema: versionSchema },
  },
  getServerStatus: {
    ...base,
    path: '/api/server/status',
    scope: 'read',
    summary: 'Get when this server started',
    response: {
      status: 200,
      schema: z.object({
        /** Milliseconds since 1970. */
        startTimestamp: z.number(),
        /** Milliseconds. */
        uptime: z.number(),
        worker: z.object({ id: z.string().nullable() }),
      }),
    },
  },
});
