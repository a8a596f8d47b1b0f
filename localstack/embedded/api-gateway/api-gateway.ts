import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { GATEWAY_RESPONSES, type GatewayResponse } from '#shared/contracts/api/gateway-responses.ts';
import type { FunctionRegistry } from '../function-registry.ts';
import { type Listener, type ListenOptions, listen } from '../loopback-listener.ts';
import { readBody } from '../request-body.ts';
import { type Authorization, type AuthorizerOptions, createAuthorize } from './authorizer.ts';
import { type CorsOptions, preflightHeaders } from './cors.ts';
import { sendGatewayResponse, sendProxyResult } from './gateway-response.ts';
import { proxyEvent, type RequestParts, requestParts, splitUrl } from './proxy-event.ts';
import { createRouteTable, type Route, type RouteMatch } from './routes.ts';
import { attachSocketApi, isHandshake, type SocketApiOptions } from './socket-api.ts';
import type { SocketConnections } from './socket-connections.ts';
import { createThrottle, type ThrottleOptions } from './throttle.ts';

const REQUEST_LIMIT_BYTES = 10 * 1024 * 1024;
const INTEGRATION_TIMEOUT_MS = 29_000;

export interface ApiGatewayOptions extends ListenOptions {
  readonly routes: readonly Route[];
  readonly functions: FunctionRegistry;
  /** Needed if any route has `auth`. */
  readonly authorizer?: AuthorizerOptions;
  /** Per caller. @default no limit */
  readonly throttle?: ThrottleOptions;
  /** @default no CORS headers, OPTIONS is an unknown route */
  readonly cors?: CorsOptions;
  /** Bodies of these content types reach functions as base64; `*` is a wildcard. @default none */
  readonly binaryMediaTypes?: readonly string[];
  /** @default 10 MiB */
  readonly requestLimitBytes?: number;
  /** What a function may be given as a body, base64 counted as it is; Lambda's limit is 6 MiB. @default no limit */
  readonly invocationLimitBytes?: number;
  /** @default 29000 */
  readonly integrationTimeoutMs?: number;
  /** A WebSocket API on the same port. @default none */
  readonly webSocket?: SocketApiOptions;
  /** Needed for `webSocket`. */
  readonly connections?: SocketConnections;
  /** Told of functions that fail or answer in a wrong form. @default nobody */
  readonly onError?: (route: Route, error: unknown) => void;
}

/** A request is answered by the gateway itself. */
class Refused extends Error {
  readonly response: GatewayResponse;

  constructor(response: GatewayResponse) {
    super();
    this.response = response;
  }
}

/** An API Gateway REST API (proxy events 1.0) in front of functions of this process. */
export async function startApiGateway(options: ApiGatewayOptions): Promise<Listener> {
  const routes = createRouteTable(options.routes);
  const call = createCall(options);
  const { webSocket, connections } = options;
  const shouldUpgradeCallback = (request: IncomingMessage) =>
    webSocket !== undefined && isHandshake(request, webSocket);
  const server = createServer({ shouldUpgradeCallback }, (request, response) => void serve(request, response));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    try {
      const method = request.method ?? 'GET';
      const { path } = splitUrl(request.url ?? '/');
      if (method === 'OPTIONS' && options.cors !== undefined) {
        const methods = routes.methodsOf(path);
        if (methods.length === 0) throw new Refused(GATEWAY_RESPONSES.notFound);
        response.writeHead(204, preflightHeaders(options.cors, methods)).end();
        return;
      }
      const match = routes.find(method, path);
      if (match === undefined) throw new Refused(GATEWAY_RESPONSES.notFound);
      const result = await call(request, match, requestId);
      if (!sendProxyResult(response, result, requestId)) {
        options.onError?.(match.route, new Error('The function answered in a form API Gateway does not take.'));
        throw new Refused(GATEWAY_RESPONSES.badIntegration);
      }
    } catch (error) {
      // Anything else than a refusal is a client that went away while it sent its body.
      if (error instanceof Refused) sendGatewayResponse(response, error.response, requestId, options.cors);
      else response.destroy();
    }
  }

  if (webSocket !== undefined && connections !== undefined) {
    const route = { method: 'GET', path: webSocket.path, functionName: webSocket.functionName, auth: false } as const;
    const onError = (error: unknown) => options.onError?.(route, error);
    attachSocketApi(server, { ...webSocket, functions: options.functions, connections, onError });
  }
  const listener = await listen(server, options);
  return {
    ...listener,
    close: () => {
      const closed = listener.close();
      connections?.cut();
      return closed;
    },
  };
}

type Call = (request: IncomingMessage, match: RouteMatch, requestId: string) => Promise<unknown>;

/** Authorizer, throttle, body, function: the way of a request with a route. Throws Refused. */
function createCall(options: ApiGatewayOptions): Call {
  const { functions, authorizer } = options;
  const open = options.routes.find((route) => route.auth);
  if (open !== undefined && authorizer === undefined) {
    throw new Error(`${open.method} ${open.path} needs an authorizer and there is none.`);
  }
  const authorize = authorizer === undefined ? undefined : createAuthorize(functions, authorizer);
  const throttle = options.throttle === undefined ? undefined : createThrottle(options.throttle);
  const isBinary = binaryTest(options.binaryMediaTypes ?? []);

  const authorization = async (route: Route, parts: RequestParts): Promise<Authorization | undefined> => {
    if (!route.auth || authorize === undefined) return undefined;
    try {
      return await authorize(parts);
    } catch (error) {
      options.onError?.(route, error);
      throw new Refused(GATEWAY_RESPONSES.authorizerFailed);
    }
  };

  return async (request, match, requestId) => {
    const { route } = match;
    const parts = requestParts(request, match, requestId, Date.now());
    const caller = await authorization(route, parts);
    if (caller?.allowed === false) throw new Refused(GATEWAY_RESPONSES.unauthorized);
    if (throttle?.(caller?.principalId ?? parts.requestContext.identity.sourceIp) === false) {
      throw new Refused(GATEWAY_RESPONSES.throttled);
    }
    const body = await readBody(request, options.requestLimitBytes ?? REQUEST_LIMIT_BYTES);
    if (body === undefined) throw new Refused(GATEWAY_RESPONSES.tooLong);
    const isBase64Encoded = body.length > 0 && isBinary(request.headers['content-type'] ?? '');
    const text = body.length === 0 ? null : body.toString(isBase64Encoded ? 'base64' : 'utf8');
    if ((text?.length ?? 0) > (options.invocationLimitBytes ?? Number.POSITIVE_INFINITY)) {
      throw new Refused(GATEWAY_RESPONSES.tooLong);
    }
    const event = proxyEvent(parts, { text, isBase64Encoded }, caller?.context ?? null);
    return await invoke(options, route, event);
  };
}

async function invoke(options: ApiGatewayOptions, route: Route, event: unknown): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    const timeoutMs = options.integrationTimeoutMs ?? INTEGRATION_TIMEOUT_MS;
    timer = setTimeout(() => reject(new Refused(GATEWAY_RESPONSES.timeout)), timeoutMs);
  });
  try {
    return await Promise.race([options.functions.invoke(route.functionName, event), timeout]);
  } catch (error) {
    options.onError?.(route, error);
    throw error instanceof Refused ? error : new Refused(GATEWAY_RESPONSES.badIntegration);
  } finally {
    clearTimeout(timer);
  }
}

function binaryTest(mediaTypes: readonly string[]): (contentType: string) => boolean {
  const wanted = mediaTypes.map((type) => type.split('/'));
  return (contentType) => {
    const [type, subtype] = (contentType.split(';')[0] ?? '').trim().toLowerCase().split('/');
    return wanted.some(([t, s]) => (t === '*' || t === type) && (s === '*' || s === subtype));
  };
}
