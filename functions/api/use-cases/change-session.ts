import { isDeepStrictEqual } from 'node:util';
import { ulid } from 'ulid';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { SessionConfig } from '#shared/contracts/session.ts';
import { NotFoundError } from '#shared/domain/errors.ts';
import type { SessionIntent } from '#shared/ports/session-store.ts';
import { SessionNotFoundError } from '../api-errors.ts';
import type { SessionsDeps } from '../deps.ts';
import { pollUntil } from '../poll.ts';
import { declareWebhooks, renewWebhooks } from './declare-webhooks.ts';
import { notifyOwner } from './notify-owner.ts';
import { removeSessionKeys } from './remove-session-keys.ts';
import { assertConfigSupported } from './session-config.ts';

/** Starts a session. One that runs stays as it is; one that has failed gets another try. */
export async function startSession(deps: SessionsDeps, row: SessionRow): Promise<SessionRow> {
  if (row.desired === 'RUNNING' && row.status !== 'FAILED' && row.status !== 'STOPPED') {
    await notifyOwner(deps, row);
    return row;
  }
  // An engine that has failed for good starts again only when it is told so explicitly.
  const again = row.desired === 'RUNNING' || row.status === 'FAILED' ? { restartToken: ulid() } : {};
  return intend(deps, row, { desired: 'RUNNING', status: 'STARTING', ...again });
}

/**
 * Stops a session and waits until it is. When the host does not answer in time, the row says what is true by then.
 *
 * @param logout unlinks the device as well: one wish, so that the session never runs in between
 */
export async function stopSession(
  deps: SessionsDeps,
  row: SessionRow,
  { logout = false }: { readonly logout?: boolean } = {},
): Promise<SessionRow> {
  if (row.desired === 'STOPPED' && row.status === 'STOPPED' && !logout) return row;
  const stopping = await intend(deps, row, { desired: 'STOPPED', ...(logout ? { logoutToken: ulid() } : {}) });
  const last = await pollUntil(
    () => deps.sessions.get(row.name),
    (now) => now?.incarnation !== row.incarnation || now.status === 'STOPPED',
    deps.config.ownerWaitMs,
    deps.clock,
  );
  return last?.incarnation === row.incarnation ? last : { ...stopping, status: 'STOPPED' };
}

export async function restartSession(deps: SessionsDeps, row: SessionRow): Promise<SessionRow> {
  return intend(deps, row, { desired: 'RUNNING', restartToken: ulid(), status: 'STARTING' });
}

/** Unlinks the device. A running session then starts over and asks to be paired. */
export async function logoutSession(deps: SessionsDeps, row: SessionRow): Promise<SessionRow> {
  const status = row.desired === 'RUNNING' ? ({ status: 'STARTING' } as const) : {};
  return intend(deps, row, { logoutToken: ulid(), ...status });
}

/**
 * Replaces the configuration; a running session restarts with it, unless only webhooks are others, which are not the
 * session's business. @throws NotSupportedError, ValidationError
 */
export async function updateSession(deps: SessionsDeps, row: SessionRow, config: SessionConfig): Promise<SessionRow> {
  await assertConfigSupported(deps, config);
  await declareWebhooks(deps, row.name, config);
  const concerned =
    row.desired === 'RUNNING' && !isDeepStrictEqual(withoutWebhooks(row.config), withoutWebhooks(config));
  const restart = concerned ? ({ restartToken: ulid(), status: 'STARTING' } as const) : {};
  const changed = await intend(deps, row, { config, ...restart });
  await renewWebhooks(deps, row.name, config);
  return changed;
}

function withoutWebhooks({ webhooks: _webhooks, ...config }: SessionConfig): object {
  return config;
}

/**
 * Deletes a session and waits until it is gone. Deleting what does not exist is a success. When the host does not
 * answer in time the session is invisible all the same, and goes when a host gets to it.
 */
export async function deleteSession(deps: SessionsDeps, name: string): Promise<void> {
  const row = await deps.sessions.get(name);
  if (row === undefined) return;
  let deleted: SessionRow;
  try {
    deleted = await deps.sessions.intend(name, row.incarnation, { desired: 'DELETED' });
  } catch (error) {
    if (error instanceof NotFoundError) return;
    throw error;
  }
  await Promise.all([notifyOwner(deps, deleted), removeSessionKeys(deps, deleted)]);
  await pollUntil(
    () => deps.sessions.get(name),
    (now) => now?.incarnation !== row.incarnation,
    deps.config.ownerWaitMs,
    deps.clock,
  );
}

async function intend(deps: SessionsDeps, row: SessionRow, intent: SessionIntent): Promise<SessionRow> {
  let changed: SessionRow;
  try {
    changed = await deps.sessions.intend(row.name, row.incarnation, intent);
  } catch (error) {
    if (error instanceof NotFoundError) throw new SessionNotFoundError(row.name, 'lifecycle');
    throw error;
  }
  await notifyOwner(deps, changed);
  return changed;
}
