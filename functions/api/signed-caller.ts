import type { Caller } from '#functions/authorizer/caller.ts';
import { isGranted, type ValidityDeps } from '#functions/authorizer/key-validity.ts';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import { iamEntryId, iamPrincipal } from '#shared/domain/iam-principal.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';

export interface SignedCallerDeps extends ValidityDeps {
  readonly keys: Pick<ApiKeyStore, 'get'>;
  readonly noteUse: (row: ApiKeyRow) => Promise<void>;
}

/** Who has signed a request; undefined when this principal may do nothing here. @param arn as API Gateway tells it */
export type SignedCaller = (arn: string) => Promise<Caller | undefined>;

/**
 * A principal with a row of its own may do what that row says and its IAM policy lets through. One without is held by its
 * policy alone, which names methods and paths.
 */
export function createSignedCaller(deps: SignedCallerDeps): SignedCaller {
  return async (arn) => {
    const principal = iamPrincipal(arn);
    if (principal === undefined) return undefined;
    const id = iamEntryId(principal);
    const row = await deps.keys.get(id);
    if (row === undefined) return { keyId: null, principal: arn, isAdmin: true, session: null, actions: new Set() };
    if (!(await isGranted(row, deps))) return undefined;
    await deps.noteUse(row);
    const { isAdmin, session, incarnation } = row;
    return {
      keyId: id,
      principal: arn,
      isAdmin,
      session,
      ...(incarnation !== undefined && { incarnation }),
      actions: new Set(row.actions),
    };
  };
}
