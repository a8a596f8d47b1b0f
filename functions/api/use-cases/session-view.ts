import type { SessionInfo } from '#shared/contracts/api/bodies.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';

/** A session as clients see it. */
export function sessionView(row: SessionRow): SessionInfo {
  return {
    name: row.name,
    status: row.status,
    config: row.config,
    me: row.me,
    engine: { engine: row.engine },
    presence: null,
    timestamps: { activity: row.activityAt },
    assignedWorker: row.hostId ?? '',
    apps: null,
    statusReason: row.statusReason ?? null,
  };
}
