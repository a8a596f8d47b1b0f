import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import { EVENT_NAMES, eventEnvelopeSchema } from '#shared/contracts/events.ts';

/** WAHA's own OpenAPI document; it is not part of this repository. */
const file = process.env.WAHA_OPENAPI;
const present = file !== undefined && existsSync(file);

const schema = z.looseObject({ $ref: z.string().optional(), required: z.array(z.string()).optional() });
/** How a webhook's body is described; `event` has all names, and its own as the default. */
const webhookSchema = z.object({
  properties: z.object({
    event: z.object({ enum: z.array(z.string()), default: z.string() }),
    payload: z.looseObject({ $ref: z.string().optional(), allOf: z.array(schema).optional() }),
  }),
});
/** WAHA's events that are not produced. */
const NO_EVENTS = ['state.change', 'group.join', 'group.leave'];
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

  const webhooks = Object.entries(waha.components.schemas).flatMap(([name, form]) => {
    const webhook = name.startsWith('WAHAWebhook') ? webhookSchema.safeParse(form).data?.properties : undefined;
    return webhook ? [webhook] : [];
  });

  it('has each of its events', () => {
    const names = new Set(webhooks.flatMap(({ event }) => event.enum));
    expect(new Set([...EVENT_NAMES.filter((name) => name !== 'message.media'), ...NO_EVENTS])).toEqual(names);
  });

  it.each(
    webhooks.flatMap(({ event, payload }) =>
      NO_EVENTS.includes(event.default) ? [] : [[event.default, payload] as const],
    ),
  )('has the payload of %s', (name, { $ref, allOf }) => {
    const reference = $ref ?? allOf?.[0]?.$ref ?? '';
    const demanded = waha.components.schemas[reference.split('/').at(-1) ?? '']?.required ?? [];
    const ours = eventEnvelopeSchema.options.find(({ shape }) => shape.event.safeParse(name).success);
    expect(Object.keys(ours?.shape.payload.shape ?? {})).toEqual(expect.arrayContaining(demanded));
  });
});
