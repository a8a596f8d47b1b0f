import type { ApiKeyView } from '#shared/contracts/api/keys.ts';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import { maskedApiKey } from '#shared/domain/api-key.ts';

/** A row, and its key where the client is to see it. */
export interface ShownKey {
  readonly row: ApiKeyRow;
  readonly key?: string;
}

export function keyView({ row, key }: ShownKey): ApiKeyView {
  const may = (action: ApiKeyRow['actions'][number]) => row.isAdmin || row.actions.includes(action);
  return {
    id: row.id,
    key: key ?? (row.principal === undefined ? maskedApiKey(row.id) : ''),
    isActive: row.isActive,
    isAdmin: row.isAdmin,
    session: row.session,
    actions: {
      read: may('read'),
      send: may('send'),
      control: may('control'),
      setting: may('setting'),
      app: may('app'),
      delete: may('delete'),
      media: may('media') || may('read'),
    },
    name: row.name,
    principal: row.principal ?? null,
    plan: row.plan ?? null,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt ?? null,
    lastUsedAt: row.lastUsedAt ?? null,
    previousKeyUntil: row.previous?.until ?? null,
  };
}
