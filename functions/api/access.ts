import type { APIGatewayProxyEvent } from 'aws-lambda';
import { type Caller, decodeCaller } from '#functions/authorizer/caller.ts';
import type { Operation } from '#shared/contracts/api/operation.ts';
import { IAM_STAGE_VARIABLES } from '#shared/contracts/api/routes.ts';
import { ForbiddenError, UnauthenticatedError } from './api-errors.ts';
import type { ParsedParts } from './parse-request.ts';

type AuthorizedEvent = Pick<APIGatewayProxyEvent, 'requestContext' | 'stageVariables'>;

/** An IAM policy names methods and paths, so it has decided already that this caller may do this. */
const SIGNED: Caller = { keyId: 'iam', isAdmin: true, session: null, actions: new Set() };

function signedBy({ requestContext, stageVariables }: AuthorizedEvent): Caller | undefined {
  if (stageVariables?.authorization !== IAM_STAGE_VARIABLES.authorization) return undefined;
  return requestContext.identity.userArn ? SIGNED : undefined;
}

/**
 * Who calls, if it may use the operation at all.
 *
 * @param event what API Gateway has found out about its sender
 * @throws UnauthenticatedError, ForbiddenError
 */
export function admit(operation: Operation, event: AuthorizedEvent): Caller | undefined {
  const caller = signedBy(event) ?? decodeCaller(event.requestContext?.authorizer);
  if (operation.scope === 'public') return caller;
  if (caller === undefined) throw new UnauthenticatedError();
  if (!caller.isAdmin && !caller.actions.has(operation.scope)) {
    throw new ForbiddenError(`This key does not allow '${operation.scope}'`);
  }
  return caller;
}

/** Whether the caller may see and touch the session. */
export function maySee(caller: Caller | undefined, session: string | undefined): boolean {
  return caller !== undefined && (caller.isAdmin || caller.session === null || caller.session === session);
}

/** @throws ForbiddenError when the request names a session that is not the caller's, whether it exists or not */
export function assertSessionAllowed(operation: Operation, caller: Caller | undefined, parts: ParsedParts): void {
  if (operation.session === null || operation.scope === 'public') return;
  if (!maySee(caller, sessionOf(operation, parts))) throw new ForbiddenError('This key is for another session');
}

function sessionOf(operation: Operation, parts: ParsedParts): string | undefined {
  switch (operation.session) {
    case 'params.session':
      return field(parts.params, 'session');
    case 'query.session':
      return field(parts.query, 'session');
    case 'body.session':
      return field(parts.body, 'session');
    case 'body.name':
      return field(parts.body, 'name');
    case null:
      return undefined;
  }
}

function field(part: unknown, name: string): string | undefined {
  if (typeof part !== 'object' || part === null) return undefined;
  const value: unknown = Reflect.get(part, name);
  return typeof value === 'string' ? value : undefined;
}
