import { ulid } from 'ulid';
import type { Caller } from '#functions/authorizer/caller.ts';
import type { Operation } from '#shared/contracts/api/operation.ts';
import type { AuditEntry } from '#shared/contracts/audit.ts';
import { TrunklineError } from '#shared/domain/errors.ts';
import { sessionOf } from './access.ts';
import type { ApiDeps } from './deps.ts';
import { fieldOf } from './field-of.ts';
import type { ParsedParts } from './parse-request.ts';
import type { Reply } from './reply.ts';

export interface AuditDeps {
  readonly audit: ApiDeps['audit'];
  readonly clock: { now(): number };
  readonly logger: Pick<ApiDeps['logger'], 'warn'>;
}

export interface AuditedRequest {
  readonly operation: Operation;
  readonly caller: Caller | undefined;
  readonly parts: ParsedParts;
  /** See `givenFields`. */
  readonly given: readonly string[];
  readonly requestId: string;
  readonly sourceAddress: string | null;
}

/**
 * Carries out a change between two writes of the audit log. Without the first nothing is changed; without the second the
 * entry stays and says that nobody knows how it ended. So there is no change without an entry.
 *
 * @throws what `change` throws, and DependencyError when the first write fails
 */
export async function audited(deps: AuditDeps, request: AuditedRequest, change: () => Promise<Reply>): Promise<Reply> {
  const begun = entryOf(request, deps.clock.now());
  await deps.audit.write(begun);
  try {
    const reply = await change();
    await end(deps, { ...begun, ...madeBy(begun, request.operation, reply), outcome: 'done' });
    return reply;
  } catch (error) {
    // What nobody expected may have happened half way: that it is not known how it ended is the truth.
    const outcome = error instanceof TrunklineError && error.code !== 'dependency' ? error.code : null;
    if (outcome !== null) await end(deps, { ...begun, outcome });
    throw error;
  }
}

/** Fields of the operation's body that the client has sent, by name. */
export function givenFields({ request }: Operation, body: unknown): readonly string[] {
  const sent = typeof body === 'object' && body !== null ? body : {};
  return Object.keys(request.body?.shape ?? {}).filter((name) => Object.hasOwn(sent, name));
}

async function end({ audit, logger }: AuditDeps, entry: AuditEntry): Promise<void> {
  try {
    await audit.write(entry);
  } catch (error) {
    logger.warn({ err: error, entry: entry.id }, 'an entry of the audit log does not say how it ended');
  }
}

function entryOf(
  { operation, caller, parts, given, requestId, sourceAddress }: AuditedRequest,
  at: number,
): AuditEntry {
  return {
    id: ulid().toLowerCase(),
    at,
    operation: operation.id,
    actor: { keyId: caller?.keyId ?? null, principal: caller?.principal ?? null, system: null },
    session: sessionOf(operation, parts) ?? fieldOf(parts.body, 'session') ?? null,
    keyId: operation.group === 'keys' ? (fieldOf(parts.params, 'id') ?? null) : null,
    fields: [...given],
    requestId,
    sourceAddress,
    outcome: null,
  };
}

/** What the change has made up a name for. */
function madeBy({ session, keyId }: AuditEntry, { group }: Operation, { content }: Reply): Partial<AuditEntry> {
  const answer = content.kind === 'json' ? content.value : undefined;
  if (group === 'keys') return { keyId: keyId ?? fieldOf(answer, 'id') ?? null };
  return { session: session ?? fieldOf(answer, 'name') ?? null };
}
