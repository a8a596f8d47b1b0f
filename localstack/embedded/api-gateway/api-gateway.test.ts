import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import type {
  APIGatewayProxyEvent,
  APIGatewayProxyResult,
  APIGatewayRequestAuthorizerEvent,
  Context,
} from 'aws-lambda';
import { afterEach, describe, expect, it } from 'vitest';
import { LAMBDA_PAYLOAD_BYTES } from '#shared/contracts/lambda-payload.ts';
import { type FunctionHandler, FunctionRegistry } from '../function-registry.ts';
import type { Listener } from '../loopback-listener.ts';
import { type ApiGatewayOptions, startApiGateway } from './api-gateway.ts';

const ROUTES = [
  { method: 'GET', path: '/ping', functionName: 'echo', auth: false },
  { method: 'GET', path: '/api/{session}/chats/{chatId}/messages', functionName: 'echo', auth: true },
  { method: 'POST', path: '/api/sendText', functionName: 'echo', auth: true },
  { method: 'POST', path: '/open', functionName: 'echo', auth: false },
  { method: 'GET', path: '/api/files/{path+}', functionName: 'echo', auth: false },
  { method: 'GET', path: '/broken', functionName: 'broken', auth: false },
  { method: 'GET', path: '/malformed', functionName: 'malformed', auth: false },
  { method: 'GET', path: '/split', functionName: 'split', auth: false },
  { method: 'GET', path: '/never', functionName: 'never', auth: false },
  { method: 'GET', path: '/missing', functionName: 'missing', auth: false },
  { method: 'GET', path: '/long', functionName: 'long', auth: false },
  { method: 'GET', path: '/compressed', functionName: 'compressed', auth: false },
  { method: 'GET', path: '/picture', functionName: 'picture', auth: false },
] as const;

let gateway: Listener;
let events: APIGatewayProxyEvent[];
let contexts: Context[];
let authorizerCalls: APIGatewayRequestAuthorizerEvent[];
let authorizerAnswer: (event: APIGatewayRequestAuthorizerEvent) => unknown;

afterEach(() => gateway.close());

const policy = (Effect: 'Allow' | 'Deny', Resource: string | string[]) => ({
  principalId: 'key-1',
  policyDocument: { Version: '2012-10-17', Statement: [{ Effect, Action: 'execute-api:Invoke', Resource }] },
  context: { scope: 'all', level: 3, admin: true },
});

async function start(options: Partial<ApiGatewayOptions> = {}): Promise<void> {
  events = [];
  contexts = [];
  authorizerCalls = [];
  authorizerAnswer = (event) => {
    const key =
      event.headers?.['X-Api-Key'] ?? event.headers?.['x-api-key'] ?? event.queryStringParameters?.['x-api-key'];
    if (key !== 'secret') throw new Error('Unauthorized');
    return policy('Allow', event.methodArn);
  };
  const echo = async (event: APIGatewayProxyEvent, context: Context): Promise<APIGatewayProxyResult> => {
    events.push(event);
    contexts.push(context);
    return {
      statusCode: 201,
      headers: { 'X-Own': 'yes' },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
      body: '{}',
    };
  };
  const authorizer = async (event: APIGatewayRequestAuthorizerEvent) => {
    authorizerCalls.push(event);
    return authorizerAnswer(event);
  };
  const handlers: Record<string, FunctionHandler> = {
    echo,
    authorizer,
    broken: async () => {
      throw new Error('a secret reason');
    },
    malformed: async () => 'just text',
    split: async () => ({ statusCode: 200, headers: { 'X-Bad': 'a\r\nSet-Cookie: b' }, body: '' }),
    never: () => new Promise(() => {}),
    long: async () => ({ statusCode: 200, body: '"'.repeat(LAMBDA_PAYLOAD_BYTES / 2) }),
    compressed: async () => ({
      statusCode: 200,
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync('{"n":1}').toString('base64'),
      isBase64Encoded: true,
    }),
    picture: async () => ({
      statusCode: 200,
      headers: { 'Content-Type': 'image/png' },
      body: Buffer.from([0, 255, 128]).toString('base64'),
      isBase64Encoded: true,
    }),
  };
  const functions = new FunctionRegistry(
    Object.fromEntries(Object.entries(handlers).map(([name, handler]) => [name, { handler }])),
  );
  gateway = await startApiGateway({
    routes: ROUTES,
    functions,
    authorizer: { functionName: 'authorizer' },
    ...options,
  });
}

const call = (path: string, init: RequestInit = {}) => fetch(`${gateway.url}${path}`, init);
const answer = async (response: Response) => [response.status, await response.json()];
const refused = (statusCode: number, error: string, code: string, hint: string) => ({
  ...{ statusCode, error, code },
  message: expect.stringContaining(hint),
});
const KEY = { 'X-Api-Key': 'secret' };

/** fetch writes header names in lower case and repeats none; this one sends them as they are. */
function rawGet(path: string, headers: readonly (readonly [string, string])[]): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${gateway.url}${path}`, { headers: headers.flat() }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    request.on('error', reject).end();
  });
}

describe('the proxy event', () => {
  it('has everything of payload format 1.0', async () => {
    await start();
    const path = '/api/default/chats/4915%40c.us/messages';
    await rawGet(`${path}?limit=10&a=1&a=%32&text=x+y`, [
      ['Host', 'api.test'],
      ['X-Api-Key', 'secret'],
      ['X-Many', 'one'],
      ['x-many', 'two'],
      ['User-Agent', 'tester'],
    ]);
    expect(events[0]).toMatchObject({
      resource: '/api/{session}/chats/{chatId}/messages',
      path,
      httpMethod: 'GET',
      headers: { Host: 'api.test', 'X-Api-Key': 'secret', 'X-Many': 'two', 'User-Agent': 'tester' },
      multiValueHeaders: { 'X-Many': ['one', 'two'], 'X-Api-Key': ['secret'] },
      queryStringParameters: { limit: '10', a: '2', text: 'x y' },
      multiValueQueryStringParameters: { limit: ['10'], a: ['1', '2'], text: ['x y'] },
      pathParameters: { session: 'default', chatId: '4915@c.us' },
      stageVariables: null,
      body: null,
      isBase64Encoded: false,
      requestContext: {
        accountId: '000000000000',
        apiId: 'local',
        stage: 'local',
        httpMethod: 'GET',
        resourcePath: '/api/{session}/chats/{chatId}/messages',
        path: `/local${path}`,
        protocol: 'HTTP/1.1',
        domainName: 'api.test',
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        requestTime: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        requestTimeEpoch: expect.any(Number),
        identity: { sourceIp: '127.0.0.1', userAgent: 'tester' },
        authorizer: { principalId: 'key-1', scope: 'all', level: '3', admin: 'true' },
      },
    });
  });

  it('has nulls where a request has nothing', async () => {
    await start();
    await call('/ping');
    expect(events[0]).toMatchObject({
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      pathParameters: null,
      body: null,
      requestContext: { authorizer: null },
    });
  });

  it('has the decoded rest of the path for a greedy parameter', async () => {
    await start();
    await call('/api/files/default/a%20b/c.jpg');
    expect(events[0]?.pathParameters).toEqual({ path: 'default/a b/c.jpg' });
  });

  it('keeps an encoded slash inside its parameter', async () => {
    await start();
    await call('/api/a%2Fb/chats/c/messages', { headers: KEY });
    expect(events[0]?.pathParameters).toEqual({ session: 'a/b', chatId: 'c' });
  });

  it('comes with a Lambda context', async () => {
    await start();
    await call('/ping');
    const [context] = contexts;
    expect(context).toMatchObject({ functionName: 'echo', awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(context?.getRemainingTimeInMillis()).toBeGreaterThan(0);
  });
});

describe('bodies', () => {
  const binary = Buffer.from([0, 1, 254, 255]);

  it('reach the function as text', async () => {
    await start();
    await call('/open', { method: 'POST', body: '{"text":"grüße"}', headers: { 'content-type': 'application/json' } });
    expect(events[0]).toMatchObject({ body: '{"text":"grüße"}', isBase64Encoded: false });
  });

  it.each(['image/png', 'IMAGE/JPEG; q=1', 'application/octet-stream'])('reach it as base64 for %s', async (type) => {
    await start({ binaryMediaTypes: ['image/*', 'application/octet-stream'] });
    await call('/open', { method: 'POST', body: binary, headers: { 'content-type': type } });
    expect(events[0]).toMatchObject({ body: binary.toString('base64'), isBase64Encoded: true });
  });

  it('are refused when a function may not be given that much', async () => {
    await start({ binaryMediaTypes: ['image/*'], invocationLimitBytes: 8 });
    const post = (body: string, type: string) =>
      call('/open', { method: 'POST', body, headers: { 'content-type': type } });
    expect((await post('12345678', 'text/plain')).status).toBe(201);
    expect((await post('12345678', 'image/png')).status).toBe(413);
  });

  it('leave as bytes when the function says base64', async () => {
    await start();
    const response = await call('/picture');
    expect(response.headers.get('content-type')).toBe('image/png');
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255, 128]);
  });

  it('come as they are where a function has compressed them', async () => {
    await start();
    const response = await call('/compressed');
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.json()).toEqual({ n: 1 });
  });

  it.each([true, false])('are refused over 10 MiB (length told: %s)', async (told) => {
    await start();
    const bytes = Buffer.alloc(10 * 1024 * 1024 + 1, 'x');
    const body = told ? bytes : new Blob([bytes]).stream();
    const response = await call('/open', { method: 'POST', body, ...(told ? {} : { duplex: 'half' }) });
    expect(await answer(response)).toEqual([
      413,
      refused(413, 'Payload Too Large', 'too-large', 'larger media goes by URL'),
    ]);
    expect(events).toHaveLength(0);
    await call('/open', { method: 'POST', body: Buffer.alloc(10 * 1024 * 1024, 'x') });
    expect(events).toHaveLength(1);
  });
});

describe('answers of functions', () => {
  it('carry their status, headers and repeated headers', async () => {
    await start();
    const response = await call('/ping');
    expect([response.status, response.headers.get('x-own')]).toEqual([201, 'yes']);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it.each(['/broken', '/malformed', '/split', '/missing', '/long'])(
    'are 502 for %s, without the reason',
    async (path) => {
      const errors: string[] = [];
      await start({ onError: (route) => errors.push(route.path) });
      expect(await answer(await call(path))).toEqual([502, refused(502, 'Bad Gateway', 'internal', 'failed')]);
      expect(errors).toEqual([path]);
    },
  );

  it('are 504 when they take too long', async () => {
    await start({ integrationTimeoutMs: 20 });
    expect(await answer(await call('/never'))).toEqual([
      504,
      refused(504, 'Gateway Timeout', 'timeout', 'may still be carried out'),
    ]);
  });
});

describe('the authorizer', () => {
  const path = '/api/default/chats/c/messages';

  it('lets a key in the header or the query through', async () => {
    await start();
    expect((await call(path, { headers: KEY })).status).toBe(201);
    expect((await call(`${path}?x-api-key=secret`)).status).toBe(201);
    expect(authorizerCalls[0]).toMatchObject({
      type: 'REQUEST',
      methodArn: `arn:aws:execute-api:us-east-1:000000000000:local/local/GET${path}`,
      resource: '/api/{session}/chats/{chatId}/messages',
      httpMethod: 'GET',
      pathParameters: { session: 'default', chatId: 'c' },
    });
  });

  it('keeps everybody else out', async () => {
    await start();
    const unauthorized = [401, { message: 'Unauthorized', statusCode: 401, code: 'unauthenticated' }];
    expect(await answer(await call(path))).toEqual(unauthorized);
    expect(await answer(await call(path, { headers: { 'X-Api-Key': 'wrong' } }))).toEqual(unauthorized);
    authorizerAnswer = (event) => policy('Deny', event.methodArn);
    expect(await answer(await call(path, { headers: KEY }))).toEqual(unauthorized);
    authorizerAnswer = () => policy('Allow', 'arn:aws:execute-api:us-east-1:000000000000:local/local/POST/*');
    expect(await answer(await call(path, { headers: KEY }))).toEqual(unauthorized);
    expect(events).toHaveLength(0);
  });

  it('prefers a Deny to an Allow', async () => {
    await start();
    authorizerAnswer = () => {
      const { policyDocument, ...rest } = policy('Allow', '*');
      const Statement = [...policyDocument.Statement, ...policy('Deny', '*/GET/*').policyDocument.Statement];
      return { ...rest, policyDocument: { ...policyDocument, Statement } };
    };
    expect((await call(path, { headers: KEY })).status).toBe(401);
    expect((await call('/api/sendText', { method: 'POST', headers: KEY })).status).toBe(201);
  });

  it('opens nothing when it fails', async () => {
    await start();
    authorizerAnswer = () => {
      throw new Error('no database');
    };
    expect((await call(path, { headers: KEY })).status).toBe(500);
    authorizerAnswer = () => ({ principalId: 'x' });
    expect((await call(path, { headers: KEY })).status).toBe(500);
    expect(events).toHaveLength(0);
  });

  it('is asked every time, unless its answers may be reused', async () => {
    await start();
    for (let i = 0; i < 2; i++) await call(path, { headers: KEY });
    expect(authorizerCalls).toHaveLength(2);
    await gateway.close();

    await start({ authorizer: { functionName: 'authorizer', ttlSeconds: 300 } });
    for (let i = 0; i < 3; i++) await call(path, { headers: KEY });
    expect(authorizerCalls).toHaveLength(1);
    expect((await call('/api/default/chats/other/messages', { headers: KEY })).status).toBe(401);
    expect((await call(path, { headers: { 'X-Api-Key': 'wrong' } })).status).toBe(401);
    expect(authorizerCalls).toHaveLength(2);
  });

  it('is not asked for public routes', async () => {
    await start();
    await call('/ping');
    expect(authorizerCalls).toHaveLength(0);
  });

  it('has to be there for routes that need it', async () => {
    await start();
    const functions = new FunctionRegistry();
    await expect(startApiGateway({ routes: ROUTES, functions })).rejects.toThrow('needs an authorizer');
  });
});

describe('the gateway', () => {
  it('answers unknown routes as the HTTP API does', async () => {
    await start();
    expect(await answer(await call('/nowhere?a=1'))).toEqual([
      404,
      { message: 'The API has no such method and path', error: 'Not Found', statusCode: 404, code: 'not-found' },
    ]);
    expect((await call('/ping', { method: 'DELETE' })).status).toBe(404);
    expect((await call('/api/%E0%A4%A/chats/c/messages')).status).toBe(404);
  });

  it('lets a caller make a burst of requests and no more', async () => {
    await start({ throttle: { rate: 0.001, burst: 2 } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await call('/api/sendText', { method: 'POST', headers: KEY })).status);
    expect(statuses).toEqual([201, 201, 429]);
    expect(await answer(await call('/api/sendText', { method: 'POST', headers: KEY }))).toEqual([
      429,
      refused(429, 'Too Many Requests', 'quota', 'Try again in a second'),
    ]);
    expect((await call('/ping')).status).toBe(201);
  });

  it('answers preflights and puts CORS headers on its own errors', async () => {
    await start({ cors: { allowHeaders: ['X-Api-Key', 'Content-Type'], exposeHeaders: ['x-request-id'] } });
    const preflight = await call('/api/sendText', { method: 'OPTIONS', headers: { Origin: 'https://a.test' } });
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST,OPTIONS',
      'access-control-allow-headers': 'X-Api-Key,Content-Type',
    });
    expect((await call('/nowhere', { method: 'OPTIONS' })).status).toBe(404);
    const denied = await call('/api/sendText', { method: 'POST' });
    expect([denied.status, denied.headers.get('access-control-allow-origin')]).toEqual([401, '*']);
    expect(denied.headers.get('access-control-expose-headers')).toBe('x-request-id');
    expect(denied.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(denied.headers.get('x-amzn-requestid')).toBe(denied.headers.get('x-request-id'));
  });

  it('listens on the loopback address only', async () => {
    await start();
    expect(gateway.host).toBe('127.0.0.1');
  });
});
