import * as z from 'zod';
import { queryInteger, sessionParam } from './fields.ts';
import { defineOperations } from './operation.ts';
import { replayedSchema, webhookDeliverySchema, webhookStateSchema } from './webhook-bodies.ts';

const params = z.object({ session: sessionParam });
const endpointField = z
  .string()
  .regex(/^wh_[0-9a-f]{20}$/, { error: 'must be the id of a webhook, as GET /api/{session}/webhooks lists them' })
  .meta({ description: 'Id of a webhook, as in the list of them.' });
const time = z.number().int().min(0).max(8.64e15);
const common = { session: 'params.session', engines: 'all', own: true } as const;

export const webhooksOperations = defineOperations('webhooks', {
  listWebhooks: {
    ...common,
    method: 'GET',
    path: '/api/{session}/webhooks',
    scope: 'read',
    summary: 'List webhooks: how each is, and what became of its last delivery',
    makes: 'read',
    request: { params },
    response: { status: 200, schema: z.array(webhookStateSchema) },
  },
  listWebhookDeliveries: {
    ...common,
    method: 'GET',
    path: '/api/{session}/webhooks/deliveries',
    scope: 'read',
    summary: 'List deliveries that have failed or wait for another try, the oldest event first',
    makes: 'read',
    request: {
      params,
      query: z.object({
        endpoint: endpointField,
        state: z.enum(['RETRYING', 'FAILED']).optional(),
        limit: queryInteger(1, 100).default(20),
        after: queryInteger(0, Number.MAX_SAFE_INTEGER)
          .default(0)
          .meta({ description: 'Only deliveries behind this `seq`: the last of the page before.' }),
      }),
    },
    response: { status: 200, schema: z.array(webhookDeliverySchema) },
  },
  replayWebhook: {
    ...common,
    method: 'POST',
    path: '/api/{session}/webhooks/replay',
    scope: 'setting',
    summary: 'Deliver events again: by their ids, or those of a time range; 1,000 at a time',
    makes: 'intent',
    request: {
      params,
      body: z
        .object({
          endpoint: endpointField,
          events: z.array(z.string().max(100)).min(1).max(100).nullish().meta({
            description:
              'Ids of events. One too far back to be found within a request is refused with 422: replay its time.',
          }),
          from: time.nullish().meta({ description: 'Events logged from then on, milliseconds since 1970.' }),
          to: time.nullish().meta({ description: 'And before then. Left out: all up to now.' }),
          after: z
            .number()
            .int()
            .min(0)
            .nullish()
            .meta({ description: 'Of a range: goes on where the answer before has ended.' }),
        })
        .refine(({ events, from }) => (events ?? undefined) === undefined || (from ?? undefined) === undefined, {
          error: 'must not come together with from',
          path: ['events'],
        })
        .refine(({ events, from }) => (events ?? from ?? undefined) !== undefined, {
          error: 'must be there unless from is',
          path: ['events'],
        }),
    },
    response: { status: 201, schema: replayedSchema },
  },
});
