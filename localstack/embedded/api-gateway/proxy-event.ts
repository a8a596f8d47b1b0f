import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type {
  APIGatewayEventDefaultAuthorizerContext,
  APIGatewayProxyEvent,
  APIGatewayRequestAuthorizerEvent,
} from 'aws-lambda';
import { ACCOUNT_ID, REGION } from '../aws-identity.ts';
import type { RouteMatch } from './routes.ts';

const API_ID = 'local';
const STAGE = 'local';

/** What both events of one request share: headers, query, identity, ids. */
export type RequestParts = Omit<APIGatewayProxyEvent, 'body' | 'isBase64Encoded' | 'requestContext'> & {
  readonly requestContext: Omit<APIGatewayProxyEvent['requestContext'], 'authorizer'>;
};

/** Takes a request apart as API Gateway does for a REST API (payload format 1.0). */
export function requestParts(
  request: IncomingMessage,
  match: RouteMatch,
  requestId: string,
  nowMs: number,
): RequestParts {
  const { path, searchParams } = splitUrl(request.url ?? '/');
  const { headers, multiValueHeaders } = rawHeadersOf(request);
  const { route, pathParameters } = match;
  const httpMethod = request.method ?? 'GET';
  return {
    resource: route.path,
    path,
    httpMethod,
    headers,
    multiValueHeaders,
    ...queryOf(searchParams),
    pathParameters: pathParameters === null ? null : { ...pathParameters },
    stageVariables: null,
    requestContext: {
      accountId: ACCOUNT_ID,
      apiId: API_ID,
      stage: STAGE,
      requestId,
      extendedRequestId: randomUUID(),
      resourceId: route.path,
      resourcePath: route.path,
      httpMethod,
      path: `/${STAGE}${path}`,
      protocol: `HTTP/${request.httpVersion}`,
      domainName: request.headers.host ?? '',
      domainPrefix: API_ID,
      requestTime: commonLogTime(nowMs),
      requestTimeEpoch: nowMs,
      identity: {
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: request.headers['user-agent'] ?? null,
        accessKey: null,
        accountId: null,
        apiKey: null,
        apiKeyId: null,
        caller: null,
        clientCert: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        user: null,
        userArn: null,
      },
    },
  };
}

/** The event of the integration. */
export function proxyEvent(
  parts: RequestParts,
  body: { readonly text: string | null; readonly isBase64Encoded: boolean },
  authorizer: APIGatewayEventDefaultAuthorizerContext,
): APIGatewayProxyEvent {
  return {
    ...parts,
    body: body.text,
    isBase64Encoded: body.isBase64Encoded,
    requestContext: { ...parts.requestContext, authorizer },
  };
}

/** The event of a REQUEST authorizer. */
export function authorizerEvent(parts: RequestParts): APIGatewayRequestAuthorizerEvent {
  const { requestContext, ...rest } = parts;
  return {
    type: 'REQUEST',
    methodArn: methodArn(parts),
    ...rest,
    requestContext: { ...requestContext, authorizer: undefined },
  };
}

/** The ARN an authorizer's policy has to allow. */
export const methodArn = ({ httpMethod, path }: Pick<RequestParts, 'httpMethod' | 'path'>): string =>
  `arn:aws:execute-api:${REGION}:${ACCOUNT_ID}:${API_ID}/${STAGE}/${httpMethod}${path}`;

/** The path as the client wrote it, and the decoded query. */
export function splitUrl(url: string): { readonly path: string; readonly searchParams: URLSearchParams } {
  const mark = url.indexOf('?');
  return mark === -1
    ? { path: url, searchParams: new URLSearchParams() }
    : { path: url.slice(0, mark), searchParams: new URLSearchParams(url.slice(mark + 1)) };
}

/** Header names as the client wrote them; of a repeated header the last value is the single one. */
export function rawHeadersOf(request: IncomingMessage): Pick<APIGatewayProxyEvent, 'headers' | 'multiValueHeaders'> {
  const headers: Record<string, string> = {};
  const multiValueHeaders: Record<string, string[]> = {};
  const spelling = new Map<string, string>();
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const written = request.rawHeaders[i] ?? '';
    const value = request.rawHeaders[i + 1] ?? '';
    const name = spelling.get(written.toLowerCase()) ?? written;
    spelling.set(written.toLowerCase(), name);
    headers[name] = value;
    multiValueHeaders[name] = [...(multiValueHeaders[name] ?? []), value];
  }
  return { headers, multiValueHeaders };
}

export function queryOf(
  query: URLSearchParams,
): Pick<APIGatewayProxyEvent, 'queryStringParameters' | 'multiValueQueryStringParameters'> {
  if (query.size === 0) return { queryStringParameters: null, multiValueQueryStringParameters: null };
  const names = [...new Set(query.keys())];
  return {
    queryStringParameters: Object.fromEntries(names.map((name) => [name, query.getAll(name).at(-1)])),
    multiValueQueryStringParameters: Object.fromEntries(names.map((name) => [name, query.getAll(name)])),
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `09/Apr/2015:12:34:56 +0000` */
function commonLogTime(epochMs: number): string {
  const time = new Date(epochMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = [time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()].map(two).join(':');
  return `${two(time.getUTCDate())}/${MONTHS[time.getUTCMonth()]}/${time.getUTCFullYear()}:${clock} +0000`;
}
