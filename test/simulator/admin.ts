import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import {
  callSchema,
  contactSchema,
  enterCodeSchema,
  groupChangeSchema,
  groupSchema,
  presenceSchema,
  readSchema,
  sendSchema,
  syncSchema,
  typingSchema,
  unlinkSchema,
} from './admin-requests.ts';
import { faultSchema } from './faults.ts';
import { readBody } from './media.ts';
import { NotFound } from './not-found.ts';
import { ScanRejected } from './registration.ts';
import { scriptSchema } from './script.ts';
import type { Simulator } from './simulator.ts';

interface AdminRequest {
  readonly simulator: Simulator;
  /** The phone number in the path, empty when there is none. */
  readonly phone: string;
  readonly query: URLSearchParams;
  readonly text: string;
}

type AdminHandler = (request: AdminRequest) => unknown;

const json = <T>(schema: z.ZodType<T>, text: string): T => schema.parse(text === '' ? {} : JSON.parse(text));
const inboxQuery = (query: URLSearchParams) => ({
  since: Number(query.get('since') ?? 0),
  waitMs: Number(query.get('waitMs') ?? 0),
});

/** Handlers by method and path; `{phone}` stands for digits. */
const ROUTES: Readonly<Record<string, AdminHandler>> = {
  'POST /admin/mock-phone/scan-qr': ({ simulator, query, text }) =>
    simulator.scanQr(text, query.get('phone') ?? undefined),
  'POST /admin/mock-phone/enter-code': ({ simulator, text }) => {
    const { phone, code } = json(enterCodeSchema, text);
    return simulator.enterCode(phone, code);
  },
  'POST /admin/contacts': ({ simulator, text }) => simulator.addContact(json(contactSchema, text)),
  'POST /admin/contacts/{phone}/script': ({ simulator, phone, text }) =>
    simulator.setScript(phone, json(scriptSchema, text)),
  'GET /admin/contacts/{phone}/inbox': ({ simulator, phone, query }) => simulator.inbox(phone, inboxQuery(query)),
  'GET /admin/contacts/{phone}/events': ({ simulator, phone, query }) => simulator.events(phone, inboxQuery(query)),
  'POST /admin/contacts/{phone}/send': ({ simulator, phone, text }) => simulator.send(phone, json(sendSchema, text)),
  'POST /admin/contacts/{phone}/typing': ({ simulator, phone, text }) =>
    simulator.typing(phone, json(typingSchema, text)),
  'POST /admin/contacts/{phone}/read': ({ simulator, phone, text }) => simulator.read(phone, json(readSchema, text)),
  'POST /admin/contacts/{phone}/call': ({ simulator, phone, text }) => simulator.call(phone, json(callSchema, text)),
  'POST /admin/contacts/{phone}/sync': ({ simulator, phone, text }) => simulator.sync(phone, json(syncSchema, text)),
  'POST /admin/contacts/{phone}/presence': ({ simulator, phone, text }) =>
    simulator.presence(phone, json(presenceSchema, text).available),
  'POST /admin/contacts/{phone}/forget-sessions': ({ simulator, phone }) => simulator.forgetSessions(phone),
  'POST /admin/groups': ({ simulator, text }) => simulator.createGroup(json(groupSchema, text)),
  'POST /admin/groups/members': ({ simulator, text }) => simulator.changeGroup(json(groupChangeSchema, text)),
  'POST /admin/phones/{phone}/unlink': ({ simulator, phone, text }) =>
    simulator.unlink(phone, json(unlinkSchema, text).device),
  'POST /admin/faults': ({ simulator, text }) => simulator.addFault(json(faultSchema, text)),
  'DELETE /admin/faults': ({ simulator }) => simulator.clearFaults(),
  'GET /admin/stats': ({ simulator }) => simulator.stats(),
  'GET /admin/client-log': ({ simulator, query }) => simulator.clientLog(inboxQuery(query)),
  'GET /admin/accounts': ({ simulator }) => simulator.accounts(),
};

/** Serves the admin API: JSON both ways, but for the QR text. Errors answer `{error}` with 400, 404, 422 or 500. */
export async function handleAdmin(
  simulator: Simulator,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const text = (await readBody(request)).toString();
  const phone = /\/(0|\d{5,})\//.exec(url.pathname)?.[1] ?? '';
  const path = phone === '' ? url.pathname : url.pathname.replace(`/${phone}/`, '/{phone}/');
  const handler = ROUTES[`${request.method} ${path}`];
  if (!handler) {
    respond(response, 404, { error: 'there is no such admin request' });
    return;
  }
  try {
    respond(response, 200, (await handler({ simulator, phone, query: url.searchParams, text })) ?? {});
  } catch (error) {
    respond(response, statusOf(error), { error: error instanceof Error ? error.message : String(error) });
  }
}

function statusOf(error: unknown): number {
  if (error instanceof z.ZodError || error instanceof SyntaxError) return 400;
  if (error instanceof NotFound) return 404;
  return error instanceof ScanRejected ? 422 : 500;
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
