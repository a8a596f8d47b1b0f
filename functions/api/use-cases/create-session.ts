import { ulid } from 'ulid';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { SessionConfig } from '#shared/contracts/session.ts';
import { ConflictError } from '#shared/domain/errors.ts';
import { SessionExistsError } from '../api-errors.ts';
import type { ApiDeps } from '../deps.ts';
import { pollUntil } from '../poll.ts';
import { notifyOwner } from './notify-owner.ts';

export interface NewSession {
  /** Made up when missing. */
  readonly name: string | undefined;
  readonly config: SessionConfig;
  readonly start: boolean;
}

/**
 * Creates a session on the least loaded shard. A session of the same name that is being removed is waited for.
 *
 * @throws SessionExistsError
 */
export async function createSession(deps: ApiDeps, wanted: NewSession): Promise<SessionRow> {
  const name = wanted.name ?? `session_${ulid().toLowerCase()}`;
  await awaitRemoval(deps, name);
  const now = deps.clock.now();
  const status = wanted.start ? 'STARTING' : 'STOPPED';
  const row: SessionRow = {
    name,
    incarnation: ulid(),
    engine: deps.config.engine,
    pool: deps.config.engine === 'WEBJS' ? 'browser' : 'socket',
    shard: await leastLoadedShard(deps),
    config: wanted.config,
    desired: wanted.start ? 'RUNNING' : 'STOPPED',
    createdAt: now,
    updatedAt: now,
    status,
    statuses: [{ status, timestamp: now }],
    me: null,
    qr: null,
    activityAt: null,
    hostId: null,
    epoch: 0,
    checkpoint: null,
  };
  // What an earlier session of this name has left is not this session's.
  await Promise.all([deps.messages.clear(name), deps.chats.clear(name)]);
  try {
    await deps.sessions.create(row);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    // A write whose answer was lost is tried again by the AWS client, and then meets itself.
    if ((await deps.sessions.get(name))?.incarnation !== row.incarnation) throw alreadyExists(name);
  }
  try {
    await notifyOwner(deps, row);
  } catch (error) {
    // The client is told that it failed, so it must not meet its own session when it tries again.
    await deps.sessions.remove(name, row.incarnation, row.epoch);
    throw error;
  }
  return row;
}

async function awaitRemoval(deps: ApiDeps, name: string): Promise<void> {
  const left = await pollUntil(
    () => deps.sessions.get(name),
    (row) => row?.desired !== 'DELETED',
    deps.config.ownerWaitMs,
    deps.clock,
  );
  if (left === undefined) return;
  if (left.desired !== 'DELETED') throw alreadyExists(name);
  throw new SessionExistsError(`Session '${name}' is still being removed. Try again in a few seconds.`);
}

function alreadyExists(name: string): SessionExistsError {
  return new SessionExistsError(`Session '${name}' already exists. Use PUT to update it.`);
}

async function leastLoadedShard({ sessions, config }: ApiDeps): Promise<string> {
  const load = new Map(config.shards.map((shard) => [shard, 0]));
  for (const row of await sessions.list()) {
    const count = load.get(row.shard);
    if (count !== undefined) load.set(row.shard, count + 1);
  }
  const [least] = [...load].reduce((best, entry) => (entry[1] < best[1] ? entry : best));
  return least;
}
