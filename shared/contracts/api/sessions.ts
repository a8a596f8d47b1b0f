import * as z from 'zod';
import { meSchema, sessionConfigSchema, sessionNameSchema } from '../session.ts';
import { sessionInfoSchema } from './bodies.ts';
import { queryBoolean, queryInteger, sessionParam, unusedQueryList } from './fields.ts';
import { defineOperations } from './operation.ts';

const params = z.object({ session: sessionParam });
const expand = unusedQueryList;
const apps = z.array(z.unknown()).max(0, { error: 'apps are not supported' }).nullish();
/** Far below what one item of a table may have, since a session's row is read often; rows from before may have more. */
const MOST_CONFIG_KIB = 64;
const config = sessionConfigSchema
  .refine((value) => bytesOf(value) <= MOST_CONFIG_KIB * 1024, {
    error: `must have ${MOST_CONFIG_KIB} KiB of JSON at most`,
  })
  .nullish()
  .meta({ description: `Has ${MOST_CONFIG_KIB} KiB of JSON at most, all its webhooks and their filters together.` });
const named = z.object({ name: sessionNameSchema });
const newName = sessionNameSchema.meta({
  description:
    'Made up when it is missing. What a path of the API has in the place of a session, as `keys` or `files`, is refused.',
});

function bytesOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

const intent = { makes: 'intent', engines: 'all', audited: true } as const;
const read = { makes: 'read', engines: 'all' } as const;

export const sessionsOperations = defineOperations('sessions', {
  createSession: {
    ...intent,
    method: 'POST',
    path: '/api/sessions',
    scope: 'setting',
    summary: 'Create a session, and start it unless told otherwise',
    session: 'body.name',
    request: {
      body: z.object({ name: newName.nullish(), start: z.boolean().nullish(), config, apps }),
    },
    response: { status: 201, schema: sessionInfoSchema },
  },
  listSessions: {
    ...read,
    method: 'GET',
    path: '/api/sessions',
    scope: 'read',
    summary: 'List sessions; stopped ones only with all=true',
    session: null,
    request: {
      query: z.object({
        all: queryBoolean.optional(),
        expand,
        limit: queryInteger(1, 10_000).optional().meta({ description: 'Own extension, by name; left out: all.' }),
        offset: queryInteger(0, 1_000_000).default(0),
      }),
    },
    response: { status: 200, schema: z.array(sessionInfoSchema) },
  },
  getSession: {
    ...read,
    method: 'GET',
    path: '/api/sessions/{session}',
    scope: 'read',
    summary: 'Get a session',
    session: 'params.session',
    request: { params, query: z.object({ expand }) },
    response: { status: 200, schema: sessionInfoSchema },
  },
  updateSession: {
    ...intent,
    method: 'PUT',
    path: '/api/sessions/{session}',
    scope: 'setting',
    summary: "Replace a session's configuration; a running session restarts unless only webhooks change",
    session: 'params.session',
    request: { params, body: z.object({ config, apps }) },
    response: { status: 200, schema: sessionInfoSchema },
  },
  deleteSession: {
    ...intent,
    method: 'DELETE',
    path: '/api/sessions/{session}',
    scope: 'delete',
    summary: 'Stop, log out and remove a session',
    session: 'params.session',
    request: { params },
    response: { status: 200 },
  },
  getMe: {
    ...read,
    method: 'GET',
    path: '/api/sessions/{session}/me',
    scope: 'read',
    summary: 'Get the account behind a session; null before it is paired',
    session: 'params.session',
    request: { params },
    response: { status: 200, schema: meSchema.nullable() },
  },
  startSession: {
    ...intent,
    method: 'POST',
    path: '/api/sessions/{session}/start',
    scope: 'control',
    summary: 'Start a session',
    session: 'params.session',
    request: { params },
    response: { status: 201, schema: sessionInfoSchema },
  },
  stopSession: {
    ...intent,
    method: 'POST',
    path: '/api/sessions/{session}/stop',
    scope: 'control',
    summary: 'Stop a session; it stays logged in',
    session: 'params.session',
    request: { params },
    response: { status: 201, schema: sessionInfoSchema },
  },
  restartSession: {
    ...intent,
    method: 'POST',
    path: '/api/sessions/{session}/restart',
    scope: 'control',
    summary: 'Stop and start a session',
    session: 'params.session',
    request: { params },
    response: { status: 201, schema: sessionInfoSchema },
  },
  logoutSession: {
    ...intent,
    method: 'POST',
    path: '/api/sessions/{session}/logout',
    scope: 'control',
    summary: 'Unlink the device; the configuration stays, a running session asks to be paired again',
    session: 'params.session',
    request: { params },
    response: { status: 201, schema: sessionInfoSchema },
  },
  upsertAndStartSession: {
    ...intent,
    method: 'POST',
    path: '/api/sessions/start',
    scope: 'setting',
    summary: 'Create or update a session and start it',
    session: 'body.name',
    deprecated: true,
    request: { body: named.extend({ config }) },
    response: { status: 201, schema: sessionInfoSchema },
  },
  stopSessionByBody: {
    ...intent,
    method: 'POST',
    path: '/api/sessions/stop',
    scope: 'control',
    summary: 'Stop a session, and unlink the device if asked',
    session: 'body.name',
    deprecated: true,
    request: { body: named.extend({ logout: z.boolean().nullish() }) },
    response: { status: 201 },
  },
  logoutAndDeleteSession: {
    ...intent,
    method: 'POST',
    path: '/api/sessions/logout',
    scope: 'delete',
    summary: 'Unlink the device and remove the session',
    session: 'body.name',
    deprecated: true,
    request: { body: named },
    response: { status: 201 },
  },
});
