import type { Row } from '#shared/ports/whole-installation.ts';

const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

/** A session's row in its new installation. @param restore which restore it was, see `SessionRow.restored` */
export function restoredSession(row: Row, restore: string): Row {
  return { ...row, hostId: null, restored: restore };
}

/** A job's row where no queue has a message of it: the reconciler is to wake it as if it never had. */
export function restoredJob({ wokenAt: _wokenAt, wakes: _wakes, ...row }: Row): Row {
  return row;
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
  return { ...row, message: move(row.message) };
}
