import type { keysOperations } from '#shared/contracts/api/keys.ts';
import { json, nothing } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';
import { deleteKey, rotateKey, updateKey } from '../use-cases/change-key.ts';
import { createIamEntry, createKey, type KeysDeps, scopedKey } from '../use-cases/create-key.ts';
import { keyView } from '../use-cases/key-view.ts';

export type { KeysDeps } from '../use-cases/create-key.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Who may do what, and who changed it. */
export function createKeysHandlers(deps: KeysDeps): ApiHandlers<typeof keysOperations> {
  const rowsOf = async (session: string | undefined) => {
    if (session === undefined) return await deps.keys.list();
    const found = await deps.keys.listBySession(session);
    const rows = await Promise.all(found.map(({ id }) => deps.keys.get(id)));
    return rows.filter((row) => row !== undefined);
  };
  return {
    createKey: async ({ body: { principal, ...fields } }) =>
      json(keyView(principal ? await createIamEntry(deps, principal, fields) : await createKey(deps, fields))),
    listKeys: async ({ query: { session, limit, offset } }) => {
      const rows = (await rowsOf(session))
        .filter((row) => row.deletedAt === undefined)
        .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
      return json(rows.slice(offset, offset + limit).map((row) => keyView({ row })));
    },
    createMediaKey: async ({ body }) => json(keyView(await scopedKey(deps, body.session, 'media'))),
    createControlKey: async ({ body }) => json(keyView(await scopedKey(deps, body.session, 'control'))),
    updateKey: async ({ params, body }) => json(keyView(await updateKey(deps, params.id, body))),
    deleteKey: async ({ params }) => {
      await deleteKey(deps, params.id);
      return nothing();
    },
    rotateKey: async ({ params, body }) => json(keyView(await rotateKey(deps, params.id, body.overlapSeconds * 1000))),
    listAudit: async ({ query: { from = 0, to, session, limit, next } }) => {
      const now = deps.clock.now();
      const page = await deps.audit.list({
        from: Math.max(from, now - deps.config.auditDays * DAY_MS),
        to: Math.min(to ?? now, now),
        session,
        limit,
        next,
      });
      return json({ entries: page.entries, next: page.next ?? null });
    },
  };
}
