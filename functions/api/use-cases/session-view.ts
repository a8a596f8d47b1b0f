import type { SessionInfo } from '#shared/contracts/api/bodies.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { Me } from '#shared/contracts/session.ts';

/** A session as clients see it. */
export function sessionView(row: SessionRow): SessionInfo {
  return {
    name: row.name,
    status: row.status,
    config: row.config,
    me: meView(row.me),
    engine: { engine: row.engine },
    presence: null,
    timestamps: { activity: row.activityAt },
    assignedWorker: row.hostId ?? '',
    apps: null,
    statusReason: row.statusReason ?? null,
    nextSendAt: row.nextSendAt ?? null,
  };
}

/** WAHA's clients expect the push name to be a text, also while it is not known yet. */
export function meView(me: Me | null): Me | null {
  return me === null ? null : { ...me, pushName: me.pushName ?? '' };
}
