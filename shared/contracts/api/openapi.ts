import * as z from 'zod';
import { errorSchema } from './bodies.ts';
import { OPERATIONS } from './index.ts';
import type { Operation, ResourceGroup } from './operation.ts';
import { REQUEST_ID_HEADER } from './routes.ts';

type Json = Record<string, unknown>;

const TAGS: Readonly<Record<ResourceGroup, string>> = {
  sessions: 'Sessions and their life',
  pairing: 'Linking a session to a phone',
  chatting: 'Sending, and what goes with it',
  chats: 'Chats and their messages',
  contacts: 'People',
  files: 'Received media',
  jobs: 'What has become of sends and commands',
  webhooks: 'Where webhooks have come to',
  keys: 'Who may do what, and who changed it',
  server: 'The server itself',
  docs: 'This documentation',
};

const ERRORS: Readonly<Record<number, string>> = {
  400: 'The request does not have the expected form, or asks for more than fits into one answer',
  401: 'No key, or an unknown one',
  403: 'The key does not allow this',
  404: 'What the request names does not exist',
  409: 'It contradicts what is there already, or comes too late',
  413: 'The request is longer than 4.5 MiB; larger media goes by URL',
  422: 'The session is in another state, or its engine cannot do this',
  429: 'Too much, or too much waits already; `Retry-After` says when to try again',
  503: 'Something Trunkline depends on does not answer',
};

/** The API as an OpenAPI 3.1 document, made from the route table. */
export function openApiDocument({ version, baseUrl }: { readonly version: string; readonly baseUrl: string }): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const operation of OPERATIONS) {
    const path = operation.path.replace('+}', '}');
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(operation, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Trunkline',
      version,
      description: 'WhatsApp over HTTP, in your own AWS account. Compatible with the WAHA API.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: baseUrl }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas,
      headers: { RequestId: { description: 'Under which id the request is logged', schema: { type: 'string' } } },
      securitySchemes: { api_key: { type: 'apiKey', in: 'header', name: 'X-Api-Key' } },
    },
  };
}

function describe(operation: Operation, schemas: Json): Json {
  const { params, query, body } = operation.request;
  return {
    operationId: operation.id,
    summary: operation.summary,
    tags: [operation.group],
    security: operation.scope === 'public' ? [] : [{ api_key: [] }],
    ...(operation.deprecated ? { deprecated: true } : {}),
    parameters: [
      ...parameters(params, 'path', schemas),
      ...parameters(query, 'query', schemas),
      ...headerParameters(operation),
    ],
    ...(body === undefined ? {} : { requestBody: { required: true, content: jsonContent(body, 'input', schemas) } }),
    responses: responses(operation, schemas),
  };
}

function parameters(schema: z.ZodObject | undefined, place: 'path' | 'query', schemas: Json): Json[] {
  if (schema === undefined) return [];
  return Object.entries(schema.shape).map(([name, field]) => ({
    name,
    in: place,
    // A path without one of its parts is another path.
    required: place === 'path' || !z.safeParse(field, undefined).success,
    schema: toSchema(field, 'input', schemas),
  }));
}

function headerParameters(operation: Operation): Json[] {
  const isJob = !['intent', 'read', 'none'].includes(operation.makes);
  if (!isJob) return [];
  const wait = 'How long to wait for the outcome, e.g. `wait=10` (seconds, at most 25).';
  const trace =
    'The trace that it is a part of (W3C Trace Context). Its events and their webhooks are in the same one.';
  const key = 'Makes a repetition of the same request harmless: it gets the answer of the first.';
  return [
    { name: 'Prefer', in: 'header', required: false, description: wait, schema: { type: 'string' } },
    { name: 'traceparent', in: 'header', required: false, description: trace, schema: { type: 'string' } },
    ...(operation.response.also?.[202] === undefined
      ? [{ name: 'Idempotency-Key', in: 'header', required: false, description: key, schema: { type: 'string' } }]
      : []),
  ];
}

function responses(operation: Operation, schemas: Json): Json {
  const { status, schema, binary, also } = operation.response;
  const content: Json = { ...(schema === undefined ? {} : jsonContent(schema, 'output', schemas)) };
  for (const type of binary ?? []) content[type] = { schema: { type: 'string' } };
  const headers = { [REQUEST_ID_HEADER]: { $ref: '#/components/headers/RequestId' } };
  const all: Json = {
    [status]: {
      description: status === 302 ? 'Where it is' : 'Success',
      headers,
      ...(Object.keys(content).length > 0 ? { content } : {}),
    },
  };
  for (const [other, form] of Object.entries(also ?? {})) {
    const description = other === '202' ? 'Not finished in time; the result will be in the job' : 'Not well';
    all[other] = { description, headers, content: jsonContent(form, 'output', schemas) };
  }
  if (operation.scope !== 'public') {
    for (const [error, description] of Object.entries(ERRORS)) {
      if (error === '413' && operation.request.body === undefined) continue;
      all[error] = { description, headers, content: jsonContent(errorSchema, 'output', schemas) };
    }
  }
  return all;
}

function jsonContent(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  return { 'application/json': { schema: toSchema(schema, io, schemas) } };
}

/**
 * JSON Schema of a zod schema; what has an id becomes a component. Input and output of the same id can differ (defaults,
 * unknown fields), so components that describe input get a suffix.
 */
function toSchema(schema: z.ZodType, io: 'input' | 'output', schemas: Json): unknown {
  const suffix = io === 'input' ? 'Input' : '';
  const { $schema: _dialect, $defs, ...root } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  const rename = (text: string) => text.replace(/^#\/\$defs\/(.+)$/, `#/components/schemas/$1${suffix}`);
  for (const [id, definition] of Object.entries($defs ?? {})) schemas[`${id}${suffix}`] = relink(definition, rename);
  return relink(root, rename);
}

/** Copies a schema with its references renamed. */
function relink(value: unknown, rename: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => relink(item, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === '$ref' && typeof item === 'string' ? rename(item) : relink(item, rename),
    ]),
  );
}
