import type { sessionsOperations } from '#shared/contracts/api/sessions.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { maySee } from '../access.ts';
import type { ApiDeps } from '../deps.ts';
import { json, nothing, type Reply } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';
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
export function createSessionsHandlers(deps: ApiDeps): ApiHandlers<Table> {
  const show = (row: SessionRow): Reply => json(sessionView(row));
  return {
    ...createDeprecatedSessionHandlers(deps),
    createSession: async ({ body }) =>
      show(
        await createSession(deps, {
          name: body.name ?? undefined,
          config: body.config ?? {},
          start: body.start ?? true,
        }),
      ),
    listSessions: async ({ query, caller }) => {
      const rows = await deps.sessions.list();
      const visible = rows
        .filter((row) => row.desired !== 'DELETED' && maySee(caller, row.name))
        .filter((row) => query.all === true || row.status !== 'STOPPED')
        .sort((a, b) => a.name.localeCompare(b.name));
      return json(visible.map(sessionView));
    },
    getSession: async ({ operation, params }) => {
      const row = await findSession(deps, operation, params.session);
      return json({ ...sessionView(row), webhooks: await webhookStates(deps, row) });
    },
    updateSession: async ({ operation, params, body }) => {
      const row = await findSession(deps, operation, params.session);
      return show(body.config ? await updateSession(deps, row, body.config) : row);
    },
    deleteSession: async ({ params }) => {
      await deleteSession(deps, params.session);
      return nothing();
    },
    getMe: async ({ operation, params }) => json(meView((await findSession(deps, operation, params.session)).me)),
    startSession: async ({ operation, params }) =>
      show(await startSession(deps, await findSession(deps, operation, params.session))),
    stopSession: async ({ operation, params }) =>
      show(await stopSession(deps, await findSession(deps, operation, params.session))),
    restartSession: async ({ operation, params }) =>
      show(await restartSession(deps, await findSession(deps, operation, params.session))),
    logoutSession: async ({ operation, params }) =>
      show(await logoutSession(deps, await findSession(deps, operation, params.session))),
  };
}
