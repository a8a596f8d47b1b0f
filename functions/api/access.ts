import type { APIGatewayProxyEvent } from 'aws-lambda';
import { type Caller, decodeCaller } from '#functions/authorizer/caller.ts';
import type { Operation } from '#shared/contracts/api/operation.ts';
import { IAM_STAGE_VARIABLES } from '#shared/contracts/api/routes.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import { ForbiddenError, UnauthenticatedError } from './api-errors.ts';
import { fieldOf } from './field-of.ts';
import type { ParsedParts } from './parse-request.ts';
import type { SignedCaller } from './signed-caller.ts';

type AuthorizedEvent = Pick<APIGatewayProxyEvent, 'requestContext' | 'stageVariables'>;

/** ARN of whoever signed the request, where API Gateway has checked the signature. */
function signerOf({ requestContext, stageVariables }: AuthorizedEvent): string | undefined {
  if (stageVariables?.authorization !== IAM_STAGE_VARIABLES.authorization) return undefined;
  return requestContext.identity.userArn ?? undefined;
}

/**
 * Who calls, if it may use the operation at all.
 *
 * @param event what API Gateway has found out about its sender
 * @param signedCaller what a principal may do; none: no signed request is let in
 * @throws UnauthenticatedError, ForbiddenError
 */
export async function admit(
  operation: Operation,
  event: AuthorizedEvent,
  signedCaller?: SignedCaller,
): Promise<Caller | undefined> {
  if (operation.scope === 'public') return undefined;
  const signer = signerOf(event);
  const caller = signer === undefined ? decodeCaller(event.requestContext?.authorizer) : await signedCaller?.(signer);
  if (caller === undefined) throw new UnauthenticatedError();
  if (!allows(caller, operation.scope)) throw new ForbiddenError(`This key does not allow '${operation.scope}'`);
  return caller;
}

function allows({ isAdmin, actions }: Caller, scope: Exclude<Operation['scope'], 'public'>): boolean {
  if (isAdmin) return true;
  if (scope === 'admin') return false;
  return actions.has(scope) || (scope === 'media' && actions.has('read'));
}

/** Whether the caller may see and touch the session. */
export function maySee(caller: Caller | undefined, session: string | undefined): boolean {
  return caller !== undefined && (caller.isAdmin || caller.session === null || caller.session === session);
}

/** Whether the caller may see the job. Jobs outlive their session: the key of the next one of that name sees its own only. */
export function maySeeJob(
  caller: Caller | undefined,
  { session, incarnation }: Pick<JobRow, 'session' | 'incarnation'>,
): boolean {
  if (caller === undefined || !maySee(caller, session)) return false;
  return caller.isAdmin || caller.session === null || caller.incarnation === incarnation;
}

/**
 * Whether an answer may have what signs a session's webhooks. Of a principal without a row nothing is known but that its
 * policy lets this operation through: it is shown them by what changes sessions alone.
 */
export function mayShowSecrets({ scope }: Pick<Operation, 'scope'>, caller: Caller | undefined): boolean {
  if (caller === undefined) return false;
  if (caller.keyId === null) return scope === 'setting';
  return caller.isAdmin || caller.actions.has('setting');
}

/** @throws ForbiddenError when the request names a session that is not the caller's, whether it exists or not */
export function assertSessionAllowed(operation: Operation, caller: Caller | undefined, parts: ParsedParts): void {
  if (operation.session === null || operation.scope === 'public') return;
  if (!maySee(caller, sessionOf(operation, parts))) throw new ForbiddenError('This key is for another session');
}

/** The session that a request is about. */
export function sessionOf(operation: Operation, parts: ParsedParts): string | undefined {
  switch (operation.session) {
    case 'params.session':
      return fieldOf(parts.params, 'session');
    case 'query.session':
      return fieldOf(parts.query, 'session');
    case 'body.session':
      return fieldOf(parts.body, 'session');
    case 'body.name':
      return fieldOf(parts.body, 'name');
    case null:
      return undefined;
  }
}
