import type { sessionsOperations } from '#shared/contracts/api/sessions.ts';
import { mayShowSecrets } from '../access.ts';
import type { SessionsDeps } from '../deps.ts';
import { json, nothing } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';
import { deleteSession, startSession, stopSession, updateSession } from '../use-cases/change-session.ts';
import { createSession } from '../use-cases/create-session.ts';
import { sessionView } from '../use-cases/session-view.ts';

type Table = Pick<typeof sessionsOperations, 'upsertAndStartSession' | 'stopSessionByBody' | 'logoutAndDeleteSession'>;

/** The calls that name their session in the body. What they ask of an unknown session is done already. */
export function createDeprecatedSessionHandlers(deps: SessionsDeps): ApiHandlers<Table> {
  const find = async (name: string) => {
    const row = await deps.sessions.get(name);
    return row?.desired === 'DELETED' ? undefined : row;
  };
  return {
    upsertAndStartSession: async ({ operation, body, caller }) => {
      const withSecrets = mayShowSecrets(operation, caller);
      const row = await find(body.name);
      if (row === undefined) {
        return json(
          sessionView(
            await createSession(deps, { name: body.name, config: body.config ?? {}, start: true }),
            withSecrets,
          ),
        );
      }
      const updated = body.config ? await updateSession(deps, row, body.config) : row;
      return json(sessionView(await startSession(deps, updated), withSecrets));
    },
    stopSessionByBody: async ({ body }) => {
      const row = await find(body.name);
      if (row === undefined) return nothing();
      await stopSession(deps, row, { logout: body.logout ?? false });
      return nothing();
    },
    logoutAndDeleteSession: async ({ body }) => {
      await deleteSession(deps, body.name);
      return nothing();
    },
  };
}
