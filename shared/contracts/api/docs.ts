import * as z from 'zod';
import { defineOperations } from './operation.ts';

const base = { method: 'GET', scope: 'public', session: null, makes: 'none', engines: 'all', own: true } as const;

export const docsOperations = defineOperations('docs', {
  getDocs: {
    ...base,
    path: '/',
    summary: 'Read the documentation',
    request: {},
    response: { status: 200, binary: ['text/html'] },
  },
  getDocsAsset: {
    ...base,
    path: '/docs/{file}',
    summary: 'Get a part of the documentation page',
    request: { params: z.object({ file: z.string().max(100) }) },
    response: { status: 200, binary: ['text/css', 'text/javascript', 'image/png'] },
  },
  getOpenApi: {
    ...base,
    path: '/-json',
    summary: 'Get this API as an OpenAPI 3.1 document',
    request: {},
    response: { status: 200, schema: z.record(z.string(), z.unknown()) },
  },
});
