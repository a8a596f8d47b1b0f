import { OPERATIONS } from './index.ts';
import type { OperationDefinition, ResourceGroup } from './operation.ts';

export type ApiFunctionName = `api-${ResourceGroup}`;

/** The function that serves a group. */
export function functionName(group: ResourceGroup): ApiFunctionName {
  return `api-${group}`;
}

/**
 * Media types that API Gateway takes for binary, in requests and answers: all. Otherwise a picture would reach every client in
 * base64 that does not ask for exactly its type. The price: functions get every body in base64.
 */
export const BINARY_MEDIA_TYPES = ['*/*'] as const;

/** Request headers of the API besides those that every browser may send. `tracestate` comes with `traceparent` and is not used. */
export const API_HEADERS = [
  'content-type',
  'x-api-key',
  'idempotency-key',
  'prefer',
  'traceparent',
  'tracestate',
] as const;

/** Says under which id a request is logged. */
export const REQUEST_ID_HEADER = 'x-request-id';

/** Headers of answers that other origins' pages may read besides those that they always may. */
export const EXPOSED_HEADERS = ['content-disposition', 'retry-after', REQUEST_ID_HEADER] as const;

/**
 * Stage variables of the API whose protected methods only signed requests (IAM) pass. API Gateway sets them, no client can;
 * there the functions take the caller that API Gateway names as allowed to do what it asked for.
 */
export const IAM_STAGE_VARIABLES = { authorization: 'iam' } as const;

/**
 * What paths have where others have a session: a session of such a name could not be reached at all of its paths. API Gateway
 * prefers the fixed part whatever the method is.
 */
export const RESERVED_SESSION_NAMES: ReadonlySet<string> = new Set(
  OPERATIONS.map(({ path }) => path.split('{session}'))
    .filter(([, after]) => after !== undefined)
    .flatMap(([before = '']) => OPERATIONS.flatMap(({ path }) => fixedPart(path, before) ?? [])),
);

function fixedPart(path: string, before: string): string | undefined {
  const [part] = path.startsWith(before) ? path.slice(before.length).split('/') : [];
  return part?.startsWith('{') ? undefined : part;
}

export interface ApiRoute {
  readonly method: OperationDefinition['method'];
  /** API Gateway's form, with `{name}` and `{name+}`. */
  readonly path: string;
  readonly functionName: ApiFunctionName;
  /** Whether the authorizer comes first. */
  readonly auth: boolean;
}

/** Every route, for whatever stands in front of the functions. */
export function apiRoutes(): readonly ApiRoute[] {
  return OPERATIONS.map(({ method, path, group, scope }) => ({
    method,
    path,
    functionName: functionName(group),
    auth: scope !== 'public',
  }));
}
