import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { docsOperations } from '#shared/contracts/api/docs.ts';
import { openApiDocument } from '#shared/contracts/api/openapi.ts';
import { FileNotFoundError } from '../api-errors.ts';
import type { ApiConfig } from '../deps.ts';
import { bytes, json } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';
import { CONTENT_SECURITY_POLICY, docsPage, START_SCRIPT } from './docs-page.ts';

/** The parts of swagger-ui-dist that the page uses. */
const ASSETS: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
]);
const CACHED = { 'cache-control': 'public, max-age=3600' };

/** The documentation page and the document behind it. */
export function createDocsHandlers({
  config,
}: {
  readonly config: Pick<ApiConfig, 'version'>;
}): ApiHandlers<typeof docsOperations> {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return {
    getDocs: async ({ baseUrl }) => ({
      headers: { 'content-security-policy': CONTENT_SECURITY_POLICY },
      content: { kind: 'text', text: docsPage(baseUrl), mimetype: 'text/html; charset=utf-8' },
    }),
    getDocsAsset: async ({ params }) => {
      if (params.file === 'start.js') {
        const mimetype = 'text/javascript; charset=utf-8';
        return { headers: CACHED, content: { kind: 'text', text: START_SCRIPT, mimetype } };
      }
      const mimetype = ASSETS.get(params.file);
      if (mimetype === undefined) throw new FileNotFoundError(params.file);
      return { ...bytes(await readFile(join(folder, params.file)), mimetype), headers: CACHED };
    },
    getOpenApi: async ({ baseUrl }) => json(openApiDocument({ version: config.version, baseUrl })),
  };
}
