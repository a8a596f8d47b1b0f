import * as z from 'zod';
import type { BucketId, TableId } from '#shared/contracts/resources.ts';
import {
  hostRowSchema,
  type SessionRow,
  type ShardRow,
  sessionRowSchema,
  shardRowSchema,
} from '#shared/contracts/rows.ts';
import { webhookEndpointRowSchema } from '#shared/contracts/webhook-rows.ts';
import { NotFoundError } from '#shared/domain/errors.ts';
import type { WebhookQueue } from '#shared/ports/webhook-queue.ts';
import type { Row, WholeBucket, WholeTable } from '#shared/ports/whole-installation.ts';
import { copyBucket, copyTable } from './copying.ts';
import { restoredDelivery, restoredJob, restoredMessage, restoredSession } from './restored-rows.ts';

type CopiedTable = Exclude<TableId, 'hosts' | 'fleets' | 'streams'>;
export type Tables = Readonly<Record<CopiedTable, WholeTable>>;
export type Buckets = Readonly<Record<BucketId, WholeBucket>>;

export interface RestoreOptions {
  readonly backup: {
    readonly tables: Tables;
    readonly buckets: Buckets;
    /** Of which time the buckets are taken, milliseconds since 1970; undefined: as they are. */
    readonly at: number | undefined;
    /** Of the installation whose backup it is. */
    readonly hosts: WholeTable;
  };
  readonly target: {
    readonly tables: Tables;
    readonly buckets: Buckets;
    readonly hosts: WholeTable;
    readonly webhooks: WebhookQueue;
  };
  readonly withMedia: boolean;
  /** Unique for each restore. */
  readonly restore: string;
  readonly now: () => number;
  /** Waits for so long that a host that is alive has beaten meanwhile. */
  readonly pause: () => Promise<unknown>;
  readonly report: (line: string) => void;
}

export interface Restored {
  readonly sessions: number;
  /** Of the shards that they are on; undefined without sessions. */
  readonly lastShard: string | undefined;
}

/** It would do damage. */
export class RestoreRefusedError extends Error {}

/**
 * Above every epoch of the backup. Its tables are of one time, but not of one instant: rows may have been written under an
 * epoch that the table of shards does not know yet. Each one more is a shard that changed hands, which takes a second.
 */
const EPOCHS_AHEAD = 1_000;

const endpointSchema = webhookEndpointRowSchema.pick({ session: true, endpointId: true, nextTryAt: true });
const placedSchema = sessionRowSchema.pick({ name: true, incarnation: true, shard: true, epoch: true });
const writtenSchema = z.looseObject({ epoch: z.number().optional() });
type Placed = Pick<SessionRow, 'name' | 'incarnation' | 'shard' | 'epoch'>;

/**
 * Fills an installation that was never used with another one's backup. May be run again after a failure, until the first
 * host has run. The sessions come last: what has a row there is complete, whoever looks. Behind them webhooks are woken.
 *
 * Not brought over are hosts, what was decided about their number, and open event streams; shards are free, under an epoch above all before.
 *
 * @throws RestoreRefusedError, IncompleteCopyError; NotFoundError when a table is missing; DependencyError when a queue is
 */
export async function restoreInstallation(options: RestoreOptions): Promise<Restored> {
  const { backup, target, withMedia, restore, now, report } = options;
  const sessions = await read(backup.tables.sessions, placedSchema);
  const shards = await read(backup.tables.shards, shardRowSchema);
  const epoch = [...sessions, ...shards].reduce((highest, row) => Math.max(highest, row.epoch), 0) + EPOCHS_AHEAD;
  await assertUnused(target, sessions, epoch);
  await assertNoHostRuns(backup.hosts, options.pause);

  const copy = async (id: CopiedTable, change?: (row: Row) => Row) => {
    const rows = await copyTable(backup.tables[id], target.tables[id], now(), change);
    report(`${target.tables[id].name}: ${rows} rows`);
  };
  const copyObjects = async (id: BucketId) => {
    const { copied, there } = await copyBucket(backup.buckets[id], target.buckets[id], backup.at);
    report(`${target.buckets[id].name}: ${copied} objects${there > 0 ? `, ${there} were there already` : ''}`);
  };
  const below = (row: Row) => assertBelow(epoch, row);
  await copy('dataKeys');
  await copy('journal', below);
  await copyObjects('state');
  if (withMedia) await copyObjects('media');
  const media = { from: backup.buckets.media.name, to: target.buckets.media.name };
  await copy('messages', (row) => restoredMessage(row, media));
  await copy('chats');
  await copy('jobs', (row) => restoredJob(below(row)));
  await copy('apiKeys');
  await copy('audit');
  await copy('eventLog');
  await copy('webhookDeliveries', (row) => restoredDelivery(row, now()));
  await copy('webhookEndpoints');
  const free = shards.map(({ shard }): ShardRow => ({ shard, epoch, owner: null, ownerIncarnation: null }));
  await target.tables.shards.put(free);
  report(`${target.tables.shards.name}: ${free.length} rows, free, epoch ${epoch}`);
  await copy('sessions', (row) => restoredSession(row, restore));
  report(`${await wakeEndpoints(options)} webhook endpoints are woken`);
  return {
    sessions: sessions.length,
    lastShard: sessions
      .map(({ shard }) => shard)
      .sort()
      .at(-1),
  };
}

/** What would have woken them, timers most of all, was in queues that nobody copies. @returns how many there are */
async function wakeEndpoints({ target: { tables, webhooks }, restore, now }: RestoreOptions): Promise<number> {
  const endpoints = await read(tables.webhookEndpoints, endpointSchema);
  const isLeftAlone = ({ nextTryAt = 0 }: (typeof endpoints)[number]) => nextTryAt > now();
  const due = endpoints.filter((endpoint) => !isLeftAlone(endpoint));
  await webhooks.wake(
    due.map(({ session, endpointId }) => ({ wake: { session, endpointId }, cause: `restored ${restore}` })),
  );
  for (const { session, endpointId, nextTryAt = 0 } of endpoints.filter(isLeftAlone))
    await webhooks.wakeAt({ session, endpointId, dueAt: nextTryAt });
  return endpoints.length;
}

async function read<T>(table: WholeTable, schema: z.ZodType<T>): Promise<readonly T[]> {
  const rows: T[] = [];
  for await (const page of table.pages()) rows.push(...page.map((row) => schema.parse(row)));
  return rows;
}

/** Two installations with the same sessions would throw each other out at WhatsApp, and use the same ratchets. */
async function assertNoHostRuns(hosts: WholeTable, pause: () => Promise<unknown>): Promise<void> {
  const before = await beatsOf(hosts);
  if (before.size === 0) return;
  await pause();
  const alive = [...(await beatsOf(hosts))].filter(([hostId, beat]) => before.get(hostId) !== beat);
  if (alive.length > 0)
    throw new RestoreRefusedError(
      `Hosts still run, as ${hosts.name} says: ${alive.map(([hostId]) => hostId).join(', ')}`,
    );
}

async function beatsOf(hosts: WholeTable): Promise<ReadonlyMap<string, string>> {
  try {
    const rows = (await read(hosts, hostRowSchema)).filter(({ state }) => state !== 'DEAD');
    return new Map(rows.map(({ hostId, incarnation, rvn }) => [hostId, `${incarnation} ${rvn}`]));
  } catch (error) {
    // The whole installation is gone, and with it its hosts.
    if (error instanceof NotFoundError) return new Map();
    throw error;
  }
}

/** Only what an earlier run of the same restore may have left is there. */
async function assertUnused({ tables, hosts }: RestoreOptions['target'], sessions: readonly Placed[], epoch: number) {
  if ((await hosts.count()) > 0) throw new RestoreRefusedError(`Hosts have run there, as ${hosts.name} says`);
  for (const row of await read(tables.shards, shardRowSchema)) {
    if (row.epoch !== epoch || row.owner !== null)
      throw new RestoreRefusedError(`A host has had the shard ${row.shard}, as ${tables.shards.name} says`);
  }
  const known = new Map(sessions.map(({ name, incarnation }) => [name, incarnation]));
  for (const { name, incarnation } of await read(tables.sessions, placedSchema)) {
    if (known.get(name) !== incarnation)
      throw new RestoreRefusedError(`${tables.sessions.name} has a session '${name}' that is not in the backup`);
  }
}

function assertBelow(epoch: number, row: Row): Row {
  const written = writtenSchema.parse(row).epoch ?? 0;
  if (written < epoch) return row;
  throw new RestoreRefusedError(`A row was written under the epoch ${written}: the tables are not of one time`);
}
