import type { SessionStatus } from '#shared/contracts/session.ts';
import type { WebhookDeliveryState } from '#shared/contracts/webhook-rows.ts';
import type { Row } from '#shared/ports/whole-installation.ts';

const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

/** Statuses of a session that no host has to do anything for to stay true. */
const RESTING: ReadonlySet<unknown> = new Set<SessionStatus>(['STOPPED', 'FAILED']);

/**
 * A session's row in its new installation, where no host has it yet.
 * @param restore which restore it was, see `SessionRow.restored`
 */
export function restoredSession(row: Row, restore: string): Row {
  const { statusReason: _reason, statusData: _data, ...running } = row;
  const here = RESTING.has(row.status) ? row : { ...running, status: 'STARTING' satisfies SessionStatus };
  return { ...here, hostId: null, qr: null, restored: restore };
}

/** A job's row where no queue has a message of it: the reconciler is to wake it as if it never had. */
export function restoredJob({ wokenAt: _wokenAt, wakes: _wakes, ...row }: Row): Row {
  return row;
}

/**
 * A delivery's row where no queue has its timer: what is tried again is due at once, and goes on by its schedule from there.
 * @param now milliseconds since 1970
 */
export function restoredDelivery(row: Row, now: number): Row {
  if (row.state !== ('RETRYING' satisfies WebhookDeliveryState)) return row;
  const dueAt = Math.min(Number(row.dueAt), now);
  return { ...row, dueAt, retryAt: dueAt };
}

/** A message's row, with all media that it names in the new installation's bucket. */
export function restoredMessage(row: Row, buckets: { readonly from: string; readonly to: string }): Row {
  const move = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(move);
    if (!isRow(value)) return value;
    const { s3 } = value;
    const moved = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, move(inner)]));
    return isRow(s3) && s3.Bucket === buckets.from ? { ...moved, s3: { ...s3, Bucket: buckets.to } } : moved;
  };
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, move(value)]));
}
