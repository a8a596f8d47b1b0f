import type { SessionInfo } from '#shared/contracts/api/bodies.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { Me, SessionConfig } from '#shared/contracts/session.ts';

const HIDDEN = '***';

/**
 * A session as clients see it.
 *
 * @param withSecrets also what signs deliveries and what receivers of webhooks are told, see `mayShowSecrets`: whoever has it can
 * make deliveries up
 */
export function sessionView(row: SessionRow, withSecrets: boolean): SessionInfo {
  return {
    name: row.name,
    status: row.status,
    config: withSecrets ? row.config : withoutSecrets(row.config),
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

function withoutSecrets(config: SessionConfig): SessionConfig {
  const webhooks = config.webhooks?.map((webhook) => ({
    ...webhook,
    ...(webhook.hmac?.key && { hmac: { ...webhook.hmac, key: HIDDEN } }),
    ...(webhook.secrets && { secrets: webhook.secrets.map(() => HIDDEN) }),
    ...(webhook.customHeaders && {
      customHeaders: webhook.customHeaders.map(({ name }) => ({ name, value: HIDDEN })),
    }),
  }));
  return { ...config, ...(webhooks !== undefined && { webhooks }) };
}

/** WAHA's clients expect the push name to be a text, also while it is not known yet. */
export function meView(me: Me | null): Me | null {
  return me === null ? null : { ...me, pushName: me.pushName ?? '' };
}
