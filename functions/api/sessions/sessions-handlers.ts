import type { sessionsOperations } from '#shared/contracts/api/sessions.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { maySee, mayShowSecrets } from '../access.ts';
import type { SessionsDeps } from '../deps.ts';
import { json, nothing, type Reply } from '../reply.ts';
import type { ApiHandlers, ApiRequest } from '../request.ts';
import {
  deleteSession,
  logoutSession,
  restartSession,
  startSession,
  stopSession,
  updateSession,
} from '../use-cases/change-session.ts';
import { createSession } from '../use-cases/create-session.ts';
import { findSession } from '../use-cases/find-session.ts';
import { meView, sessionView } from '../use-cases/session-view.ts';
import { webhookStates } from '../use-cases/webhook-states.ts';
import { createDeprecatedSessionHandlers } from './deprecated-session-handlers.ts';

type Table = typeof sessionsOperations;

/** The life of sessions. */
export function createSessionsHandlers(deps: SessionsDeps): ApiHandlers<Table> {
  const show = (row: SessionRow, { operation, caller }: Pick<ApiRequest, 'operation' | 'caller'>): Reply =>
    json(sessionView(row, mayShowSecrets(operation, caller)));
  return {
    ...createDeprecatedSessionHandlers(deps),
    createSession: async ({ body, ...request }) =>
      show(
        await createSession(deps, {
          name: body.name ?? undefined,
          config: body.config ?? {},
          start: body.start ?? true,
        }),
        request,
      ),
    listSessions: async ({ operation, query, caller }) => {
      const rows = await deps.sessions.list();
      const visible = rows
        .filter((row) => row.desired !== 'DELETED' && maySee(caller, row.name))
        .filter((row) => query.all === true || row.status !== 'STOPPED')
        .sort((a, b) => a.name.localeCompare(b.name));
      const { offset, limit = visible.length } = query;
      return json(
        visible.slice(offset, offset + limit).map((row) => sessionView(row, mayShowSecrets(operation, caller))),
      );
    },
    getSession: async ({ operation, params, caller }) => {
      const row = await findSession(deps, operation, params.session);
      const view = sessionView(row, mayShowSecrets(operation, caller));
      return json({ ...view, webhooks: await webhookStates(deps, row) });
    },
    updateSession: async ({ operation, params, body, caller }) => {
      const row = await findSession(deps, operation, params.session);
      return show(body.config ? await updateSession(deps, row, body.config) : row, { operation, caller });
    },
    deleteSession: async ({ params }) => {
      await deleteSession(deps, params.session);
      return nothing();
    },
    getMe: async ({ operation, params }) => json(meView((await findSession(deps, operation, params.session)).me)),
    startSession: async ({ params, ...request }) =>
      show(await startSession(deps, await findSession(deps, request.operation, params.session)), request),
    stopSession: async ({ params, ...request }) =>
      show(await stopSession(deps, await findSession(deps, request.operation, params.session)), request),
    restartSession: async ({ params, ...request }) =>
      show(await restartSession(deps, await findSession(deps, request.operation, params.session)), request),
    logoutSession: async ({ params, ...request }) =>
      show(await logoutSession(deps, await findSession(deps, request.operation, params.session)), request),
  };
}
