import * as z from 'zod';
import { numberExistsSchema, pendingJobSchema } from './bodies.ts';
import { phoneField, sessionField } from './fields.ts';
import { defineOperations } from './operation.ts';

export const contactsOperations = defineOperations('contacts', {
  checkExists: {
    method: 'GET',
    path: '/api/contacts/check-exists',
    scope: 'read',
    summary: 'Check whether a phone number is on WhatsApp',
    session: 'query.session',
    makes: 'checkExists',
    engines: 'all',
    request: { query: z.object({ session: sessionField, phone: phoneField }) },
    response: { status: 200, schema: numberExistsSchema, also: { 202: pendingJobSchema } },
  },
});
