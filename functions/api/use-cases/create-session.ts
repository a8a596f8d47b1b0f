import { ulid } from 'ulid';
import { RESERVED_SESSION_NAMES } from '#shared/contracts/api/routes.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { SessionConfig } from '#shared/contracts/session.ts';
import { ConflictError, NotFoundError, NotOwnerError, ValidationError } from '#shared/domain/errors.ts';
import { SessionExistsError } from '../api-errors.ts';
import type { SessionsDeps } from '../deps.ts';
import { pollUntil } from '../poll.ts';
import { chooseShard } from './choose-shard.ts';
import { declareWebhooks } from './declare-webhooks.ts';
import { notifyOwner } from './notify-owner.ts';
import { assertConfigSupported } from './session-config.ts';

export interface NewSession {
  /** Made up when missing. */
  readonly name: string | undefined;
  readonly config: SessionConfig;
  readonly start: boolean;
}

/**
 * Creates a session on a shard with room. A session of the same name that is being removed is waited for.
 *
 * @throws NotSupportedError, ValidationError, SessionExistsError
 */
export async function createSession(deps: SessionsDeps, wanted: NewSession): Promise<SessionRow> {
  await assertConfigSupported(deps, wanted.config);
  const name = wanted.name ?? `session_${ulid().toLowerCase()}`;
  assertReachable(name);
  await awaitRemoval(deps, name);
  const now = deps.clock.now();
  const status = wanted.start ? 'STARTING' : 'STOPPED';
  const row: SessionRow = {
    name,
    incarnation: ulid(),
    engine: deps.config.engine,
    pool: deps.config.engine === 'WEBJS' ? 'browser' : 'socket',
    shard: await chooseShard(deps, name),
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
  try {
    await deps.sessions.create(row);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    // A write whose answer was lost is tried again by the AWS client, and then meets itself.
    if ((await deps.sessions.get(name))?.incarnation !== row.incarnation) throw alreadyExists(name);
  }
  try {
    // The host has cleared the read models of an earlier session of this name, but events that were still on their way
    // then may have come after it. Whoever has created the row is alone with the name, and nothing runs yet.
    await Promise.all([deps.messages.clear(name), deps.chats.clear(name), deps.webhooks.clear(name)]);
    // A host may have found the row by now, and have told something: the session's numbers begin at its creation.
    await declareWebhooks(deps, name, row.config, row.createdAt);
    await notifyOwner(deps, row);
  } catch (error) {
    await takeBack(deps, row);
    throw error;
  }
  return row;
}

/** The client is told that it failed, so it must not meet its own session when it tries again. */
async function takeBack({ sessions, logger }: SessionsDeps, { name, incarnation, epoch }: SessionRow): Promise<void> {
  try {
    await sessions.remove(name, incarnation, epoch).catch(async (error: unknown) => {
      if (!(error instanceof NotOwnerError)) throw error;
      // A host has seen the row by then: it removes what it has begun, and needs no message to find it.
      await sessions.intend(name, incarnation, { desired: 'DELETED' });
    });
  } catch (error) {
    // What the client is told is why it failed, not this. A row that is gone is what was wanted.
    if (!(error instanceof NotFoundError)) logger.warn({ err: error }, 'could not take a new session back');
  }
}

/** Sessions of such a name that are there already can be used as far as their paths go, and deleted. */
function assertReachable(name: string): void {
  if (!RESERVED_SESSION_NAMES.has(name)) return;
  const message = 'is not free for sessions: a path of the API has it in the place of the session’s name';
  throw new ValidationError([{ path: 'name', message }]);
}

async function awaitRemoval(deps: SessionsDeps, name: string): Promise<void> {
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
