import * as z from 'zod';
import { sessionParam } from './fields.ts';
import { defineOperations } from './operation.ts';

/** Names below a session: no empty, hidden or climbing parts, nothing that needs to be encoded. */
const FILE = /^[A-Za-z0-9_=@-][A-Za-z0-9._=@-]*(?:\/[A-Za-z0-9_=@-][A-Za-z0-9._=@-]*)*$/;

export const filesOperations = defineOperations('files', {
  getFile: {
    method: 'GET',
    path: '/api/files/{session}/{file+}',
    scope: 'media',
    summary: 'Get received media: a redirect to where it can be fetched for a while',
    session: 'params.session',
    makes: 'read',
    engines: 'all',
    own: true,
    request: {
      params: z.object({
        session: sessionParam,
        file: z.string().max(512).regex(FILE, { error: 'must be the name of a file' }),
      }),
    },
    response: { status: 302 },
  },
});
