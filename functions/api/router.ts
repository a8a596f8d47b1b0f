import middy from '@middy/core';
import httpCors from '@middy/http-cors';
import httpHeaderNormalizer from '@middy/http-header-normalizer';
import httpRouter from '@middy/http-router';
import httpSecurityHeaders from '@middy/http-security-headers';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import type { Logger } from 'pino';
import type { Operation, OperationTable } from '#shared/contracts/api/operation.ts';
import { EXPOSED_HEADERS } from '#shared/contracts/api/routes.ts';
import { admit, assertSessionAllowed } from './access.ts';
import { RouteNotFoundError } from './api-errors.ts';
import { audited, givenFields } from './audit-trail.ts';
import { baseUrlOf } from './base-url.ts';
import type { ApiConfig, ApiDeps } from './deps.ts';
import { fittingResult } from './fitting-result.ts';
import { httpErrors } from './http-errors.ts';
import { readJsonBody } from './json-body.ts';
import { parseRequest } from './parse-request.ts';
import { type Reply, toResult } from './reply.ts';
import type { ApiHandler, ApiHandlers } from './request.ts';
import { requestIdHeader } from './request-id-header.ts';
import { requestLog } from './request-log.ts';
import { onTrail } from './request-trail.ts';
import type { SignedCaller } from './signed-caller.ts';

/** A function behind API Gateway (REST API, proxy integration). */
export type ApiFunction = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

export interface RouterDeps {
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly config: Pick<ApiConfig, 'publicUrl'>;
  /** Needed by groups that are not public. */
  readonly signedCaller?: SignedCaller;
  readonly clock: Pick<ApiDeps['clock'], 'now'>;
  /** Needed by groups with operations that are audited. */
  readonly audit?: ApiDeps['audit'];
}

/**
 * Answers are data, not pages: the headers about pages stay out, but for the documentation, which sets its own. QR codes
 * may be shown by other origins' pages.
 */
const SECURITY_HEADERS = {
  contentSecurityPolicy: false,
  permissionsPolicy: false,
  crossOriginEmbedderPolicy: false,
  crossOriginResourcePolicy: { policy: 'cross-origin' },
} as const;

/** The function of a resource group: its operations behind one router, with everything that surrounds a handler. */
export function createGroupFunction<T extends OperationTable>(
  table: T,
  handlers: ApiHandlers<T>,
  deps: RouterDeps,
): ApiFunction {
  const { logger } = deps;
  const matched = new WeakMap<APIGatewayProxyEvent, string>();
  const routes = Object.values(table).map((operation) => ({
    method: operation.method,
    path: routerPath(operation.path),
    // The compiler has checked that each id has the handler of its own operation; a list cannot say so.
    handler: createRoute(operation, handlers[operation.id as keyof T] as unknown as ApiHandler, {
      ...deps,
      onMatch: (event) => matched.set(event, operation.id),
    }),
  }));
  const notFoundResponse = ({ method, path }: { method: string; path: string }): never => {
    throw new RouteNotFoundError(`Cannot ${method} ${path}`);
  };
  const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
    .use(requestLog(logger, (event) => matched.get(event)))
    .use(httpSecurityHeaders(SECURITY_HEADERS))
    .use(httpCors({ origins: ['*'], exposeHeaders: EXPOSED_HEADERS.join() }))
    .use(httpHeaderNormalizer())
    .use(requestIdHeader())
    .use(httpErrors(logger))
    .handler(httpRouter<APIGatewayProxyEvent, APIGatewayProxyResult>({ routes, notFoundResponse }));
  return (event, context) => onTrail(event, () => handler(event, context));
}

interface RouteOptions extends RouterDeps {
  readonly onMatch: (event: APIGatewayProxyEvent) => void;
}

function createRoute(operation: Operation, handler: ApiHandler, options: RouteOptions) {
  const { signedCaller, audit, clock, logger, config } = options;
  if (operation.audited && audit === undefined) throw new Error(`${operation.id} needs an audit log`);
  const route = middy<APIGatewayProxyEvent, APIGatewayProxyResult>();
  route.before(({ event }) => {
    options.onMatch(event);
  });
  return route.handler(async (event: APIGatewayProxyEvent) => {
    const caller = await admit(operation, event, signedCaller);
    // After that: a large body costs time, which is for those alone who may have what they ask for.
    const body = operation.request.body === undefined ? undefined : readJsonBody(event);
    const parts = parseRequest(operation, renameRest(operation, event), body);
    assertSessionAllowed(operation, caller, parts);
    const { requestId } = event.requestContext;
    const headers = plainHeaders(event);
    const answer = (reply: Reply) => fittingResult(operation, toResult(operation, reply), headers['accept-encoding']);
    const run = () =>
      handler({
        operation,
        params: parts.params,
        query: parts.query,
        body: parts.body,
        headers,
        caller,
        baseUrl: baseUrlOf(event, config.publicUrl),
        requestId,
      });
    if (!operation.audited || audit === undefined) return await answer(await run());
    const sourceAddress = event.requestContext.identity.sourceIp ?? null;
    const given = givenFields(operation, body);
    const request = { operation, caller, parts, given, requestId, sourceAddress };
    return await answer(await audited({ audit, clock, logger }, request, run));
  });
}

/** middy's router knows the rest of a path as `{proxy+}` only. */
function routerPath(path: string): string {
  return path.replace(/\{\w+\+\}$/, '{proxy+}');
}

function renameRest(operation: Operation, event: APIGatewayProxyEvent): APIGatewayProxyEvent {
  const rest = /\{(\w+)\+\}$/.exec(operation.path)?.[1];
  if (rest === undefined || event.pathParameters?.proxy === undefined) return event;
  const { proxy, ...others } = event.pathParameters;
  return { ...event, pathParameters: { [rest]: proxy, ...others } };
}

function plainHeaders(event: APIGatewayProxyEvent): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(event.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = value;
  }
  return headers;
}
