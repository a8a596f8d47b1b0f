import type { Row, WholeBucket, WholeTable } from '#shared/ports/whole-installation.ts';

/** What was copied is not all there. */
export class IncompleteCopyError extends Error {}

const SEGMENTS = 8;
const OBJECTS_AT_ONCE = 32;
const DAY_MS = 86_400_000;

/**
 * Copies the rows of a table that have not expired, and counts what has arrived.
 *
 * @param change makes of a row what it is in its new place
 * @returns how many there were
 * @throws IncompleteCopyError
 */
export async function copyTable(
  from: WholeTable,
  to: WholeTable,
  now: number,
  change: (row: Row) => Row = (row) => row,
): Promise<number> {
  let copied = 0;
  let expiring = 0;
  const copySegment = async (index: number) => {
    for await (const page of from.pages({ index, of: SEGMENTS })) {
      const rows = page.filter((row) => expiryOf(row) > now);
      await to.put(rows.map(change));
      copied += rows.length;
      expiring += rows.filter((row) => expiryOf(row) < now + DAY_MS).length;
    }
  };
  await Promise.all(Array.from({ length: SEGMENTS }, (_, index) => copySegment(index)));
  const arrived = await to.count();
  if (arrived < copied - expiring)
    throw new IncompleteCopyError(`${to.name} has ${arrived} rows of the ${copied} that were copied from ${from.name}`);
  return copied;
}

/** Milliseconds since 1970; the row may vanish after it. */
function expiryOf({ ttl }: Row): number {
  return typeof ttl === 'number' ? ttl * 1_000 : Number.POSITIVE_INFINITY;
}

/**
 * Copies a bucket as it is, or as it was at a time, but for what an earlier run has copied: nothing in these buckets is
 * ever replaced by something else.
 */
export async function copyBucket(
  from: WholeBucket,
  to: WholeBucket,
  at: number | undefined,
): Promise<{ readonly copied: number; readonly there: number }> {
  const sizes = new Map<string, number>();
  for await (const { key, bytes } of to.objects()) sizes.set(key, bytes);
  const objects = from.objects(at)[Symbol.asyncIterator]();
  let copied = 0;
  let there = 0;
  const work = async () => {
    for (let next = await objects.next(); next.done !== true; next = await objects.next()) {
      const object = next.value;
      if (sizes.get(object.key) === object.bytes) {
        there += 1;
        continue;
      }
      await to.take(from.name, object);
      copied += 1;
    }
  };
  await Promise.all(Array.from({ length: OBJECTS_AT_ONCE }, work));
  return { copied, there };
}
