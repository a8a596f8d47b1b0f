import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { JOB_STATES } from '../jobs.ts';
import { OPERATIONS } from './index.ts';
import { openApiDocument } from './openapi.ts';

const schemaObject = z.union([z.boolean(), z.record(z.string(), z.unknown())]);
const content = z.record(z.string(), z.strictObject({ schema: schemaObject }));
const parameter = z.strictObject({
  name: z.string().min(1),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean(),
  description: z.string().optional(),
  schema: schemaObject,
});
const operation = z.strictObject({
  operationId: z.string(),
  summary: z.string().min(3),
  tags: z.array(z.string()).length(1),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  deprecated: z.boolean().optional(),
  parameters: z.array(parameter),
  requestBody: z.strictObject({ required: z.boolean(), content }).optional(),
  responses: z.record(
    z.string().regex(/^[2-5]\d\d$/),
    z.strictObject({
      description: z.string().min(1),
      headers: z.strictObject({
        'x-request-id': z.strictObject({ $ref: z.literal('#/components/headers/RequestId') }),
      }),
      content: content.optional(),
    }),
  ),
});
const document = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  servers: z.array(z.strictObject({ url: z.url() })),
  tags: z.array(z.strictObject({ name: z.string(), description: z.string() })),
  paths: z.record(z.string().startsWith('/'), z.partialRecord(z.enum(['get', 'post', 'put', 'delete']), operation)),
  components: z.strictObject({
    schemas: z.record(z.string().regex(/^[\w.-]+$/), schemaObject),
    headers: z.strictObject({ RequestId: z.strictObject({ description: z.string(), schema: schemaObject }) }),
    securitySchemes: z.record(z.string(), z.unknown()),
  }),
});

const raw = openApiDocument({ version: '1.2.3', baseUrl: 'https://api.test' });
const parsed = document.parse(raw);
const operations = Object.entries(parsed.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, described]) => ({ path, method, described })),
);

describe('the OpenAPI document', () => {
  it('has every operation, once', () => {
    const ids = operations.map(({ described }) => described.operationId);
    expect(ids.toSorted()).toEqual(OPERATIONS.map(({ id }) => id).toSorted());
    for (const { id, method, path } of OPERATIONS) {
      expect(parsed.paths[path.replace('+}', '}')]?.[method.toLowerCase() as 'get']?.operationId).toBe(id);
    }
  });

  it('describes each part of a path, and asks for a key where one is needed', () => {
    for (const { path, described } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      expect(described.parameters.filter((one) => one.in === 'path').map((one) => one.name)).toEqual(inPath);
      const scope = OPERATIONS.find(({ id }) => id === described.operationId)?.scope;
      expect(described.security).toEqual(scope === 'public' ? [] : [{ api_key: [] }]);
      expect(parsed.tags.map((tag) => tag.name)).toContain(described.tags[0]);
    }
  });

  it('has only schemas that a validator takes, and references that lead somewhere', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'document', components: parsed.components });
    const check = (schema: unknown): void => {
      const text = JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/');
      expect(() => ajv.compile(JSON.parse(text)), text).not.toThrow();
    };
    for (const schema of Object.values(parsed.components.schemas)) check(schema);
    for (const { described } of operations) {
      for (const { schema } of described.parameters) check(schema);
      for (const media of Object.values(described.requestBody?.content ?? {})) check(media.schema);
      for (const answer of Object.values(described.responses)) {
        for (const media of Object.values(answer.content ?? {})) check(media.schema);
      }
    }
    expect(Object.keys(parsed.components.schemas)).toEqual(
      expect.arrayContaining(['SessionInfo', 'WAMessage', 'SessionConfigInput', 'Error']),
    );
  });

  it('says of every option that does nothing that it does nothing', () => {
    const fieldsOf = (schema: unknown): [string, string][] => {
      if (typeof schema !== 'object' || schema === null) return [];
      const properties = 'properties' in schema ? Object.entries(Object(schema.properties)) : [];
      return [
        ...properties.map(([name, field]): [string, string] => [name, JSON.stringify(field)]),
        ...Object.values(schema).flatMap(fieldsOf),
      ];
    };
    const fields = [
      ...fieldsOf(parsed),
      ...operations.flatMap(({ described }) =>
        described.parameters.map(({ name, schema }): [string, string] => [name, JSON.stringify(schema)]),
      ),
    ];
    const unused = ['linkPreview', 'linkPreviewHighQuality', 'downloadMedia', 'merge', 'expand'];
    for (const [names, words] of [
      [unused, 'no effect'],
      [['convert', 'proxy'], 'refused with 422'],
      [['file'], '3.3 MB'],
    ] as const) {
      for (const name of names) {
        // A path has a part named `file` too.
        const texts = fields.filter(
          ([field, text]) => field === name && (name !== 'file' || text.includes('mimetype')),
        );
        expect(texts.length, name).toBeGreaterThan(0);
        for (const [, text] of texts) expect(text, name).toContain(words);
      }
    }
  });

  it('says what each state of a job means, and that a prepared one may have left', () => {
    const stated = z.looseObject({ properties: z.looseObject({ state: z.object({ description: z.string() }) }) });
    const { description } = stated.parse(parsed.components.schemas.Job).properties.state;
    for (const state of JOB_STATES) expect(description).toContain(state);
    expect(description).toMatch(/PREPARED: [^.]*may be on the wire/);
  });

  it('says of everything that makes a job that it can be a part of a trace, and of nothing else', () => {
    const traced = operations.filter(({ described }) =>
      described.parameters.some(({ name }) => name === 'traceparent'),
    );
    const jobs = OPERATIONS.filter(({ makes }) => !['intent', 'read', 'none'].includes(makes));
    expect(traced.map(({ described }) => described.operationId).toSorted()).toEqual(
      jobs.map(({ id }) => id).toSorted(),
    );
  });

  it('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(raw))).toEqual(raw);
  });
});
