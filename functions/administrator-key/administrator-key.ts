import { ulid } from 'ulid';
import type { AuditEntry } from '#shared/contracts/audit.ts';
import { type ApiKeyRow, KEY_ACTIONS } from '#shared/contracts/rows.ts';
import type { KeyPepper } from '#shared/domain/key-pepper.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';
import type { AuditLog } from '#shared/ports/audit-log.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { ReadPepper } from '#shared/ports/read-pepper.ts';

const LEAST_LENGTH = 20;

export interface AdministratorKeyDeps {
  readonly keys: Pick<ApiKeyStore, 'get' | 'create'>;
  readonly audit: Pick<AuditLog, 'write'>;
  /** The key, as it was made for this installation. */
  readonly readKey: () => Promise<string>;
  readonly readPepper: ReadPepper;
  readonly clock: Pick<Clock, 'now'>;
}

/** @param requestId under which the audit log is told of it; none: the entry's own id */
export type LetAdministratorIn = (requestId?: string) => Promise<void>;

/**
 * Lets the administrator's key in. Done again it changes nothing: a key that has been revoked, changed or deleted stays so.
 * The audit log is told before and after, as of every change of a key.
 *
 * @throws RangeError when the key is so short that it could be guessed, or has been cut off; what the store and the
 * readers throw
 */
export function createAdministratorKey(deps: AdministratorKeyDeps): LetAdministratorIn {
  return async (requestId) => {
    const [key, pepper] = await Promise.all([deps.readKey(), deps.readPepper()]);
    if (key.length < LEAST_LENGTH) throw new RangeError(`The key has fewer than ${LEAST_LENGTH} characters`);
    const row = administratorRow(key, pepper, deps.clock.now());
    if ((await deps.keys.get(row.id)) !== undefined) return;
    const begun = entryOf(row, requestId);
    await deps.audit.write(begun);
    const outcome = (await deps.keys.create(row)) ? 'done' : 'conflict';
    await deps.audit.write({ ...begun, outcome });
  };
}

function entryOf({ id: keyId, createdAt }: ApiKeyRow, requestId: string | undefined): AuditEntry {
  const id = ulid().toLowerCase();
  return {
    id,
    at: createdAt,
    operation: 'administratorKey',
    actor: { keyId: null, principal: null, system: 'administrator-key' },
    session: null,
    keyId,
    fields: [],
    requestId: requestId ?? id,
    sourceAddress: null,
    outcome: null,
  };
}

function administratorRow(key: string, pepper: KeyPepper, createdAt: number): ApiKeyRow {
  const id = pepper.idOf(key);
  if (id === undefined) throw new RangeError('The key is not whole');
  return {
    id,
    version: 1,
    name: 'administrator',
    hash: pepper.hash(key),
    brought: true,
    isAdmin: true,
    isActive: true,
    session: null,
    actions: [...KEY_ACTIONS],
    createdAt,
  };
}
