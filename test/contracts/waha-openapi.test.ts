import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { OPERATIONS } from '#shared/contracts/api/index.ts';

/** WAHA's own OpenAPI document; it is not part of this repository. */
const file = process.env.WAHA_OPENAPI;
const present = file !== undefined && existsSync(file);

const schema = z.looseObject({ $ref: z.string().optional(), required: z.array(z.string()).optional() });
const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        parameters: z
          .array(z.object({ name: z.string(), in: z.string(), required: z.boolean().optional() }))
          .default([]),
        requestBody: z.object({ content: z.record(z.string(), z.object({ schema })) }).optional(),
        responses: z.record(z.string(), z.unknown()),
      }),
    ),
  ),
  components: z.object({ schemas: z.record(z.string(), schema) }),
});

describe.skipIf(!present)('compatibility with WAHA (set WAHA_OPENAPI to its OpenAPI document)', () => {
  const waha = documentSchema.parse(
    JSON.parse(present ? readFileSync(file, 'utf8') : '{"paths":{},"components":{"schemas":{}}}'),
  );
  const operations = OPERATIONS.filter((operation) => !operation.own);

  it.each(operations.map((operation) => [operation.id, operation] as const))('%s', (_id, operation) => {
    const theirs = waha.paths[operation.path]?.[operation.method.toLowerCase()];
    expect(theirs, `${operation.method} ${operation.path}`).toBeDefined();
    if (theirs === undefined) return;
    expect(Object.keys(theirs.responses)).toContain(String(operation.response.status));

    const { query, body } = operation.request;
    const demanded = (form: z.ZodObject | undefined) =>
      Object.entries(form?.shape ?? {})
        .filter(([, field]) => !z.safeParse(field, undefined).success)
        .map(([name]) => name);
    const theirQuery = theirs.parameters.filter((one) => one.in === 'query' && one.required).map((one) => one.name);
    expect(theirQuery).toEqual(expect.arrayContaining(demanded(query)));

    const theirBody = theirs.requestBody?.content['application/json']?.schema;
    const resolved = theirBody?.$ref ? waha.components.schemas[theirBody.$ref.split('/').at(-1) ?? ''] : theirBody;
    expect(resolved?.required ?? []).toEqual(expect.arrayContaining(demanded(body)));
    expect(body === undefined).toBe(theirs.requestBody === undefined);
  });
});
