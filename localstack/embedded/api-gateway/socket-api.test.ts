import { once } from 'node:events';
import { request as httpRequest, IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { FunctionRegistry } from '../function-registry.ts';
import type { Listener } from '../loopback-listener.ts';
import { startApiGateway } from './api-gateway.ts';
import { SocketConnections } from './socket-connections.ts';

interface Told {
  readonly requestContext: { readonly eventType: string; readonly connectionId: string; readonly stage: string };
  readonly body?: string;
  readonly multiValueQueryStringParameters?: Readonly<Record<string, readonly string[]>> | null;
  readonly headers?: Readonly<Record<string, string>>;
}

let connections: SocketConnections;
let gateway: Listener;
let told: Told[];
let answer: unknown;
const sockets: WebSocket[] = [];
const onError = vi.fn();

beforeEach(async () => {
  told = [];
  answer = { statusCode: 200 };
  connections = await SocketConnections.start();
  const handler = async (event: Told) => {
    told.push(event);
    return answer;
  };
  const echo = async ({ body }: { readonly body: string | null }) => ({ statusCode: 200, body: body ?? 'pong' });
  gateway = await startApiGateway({
    routes: [
      { method: 'GET', path: '/ping', functionName: 'echo', auth: false },
      { method: 'POST', path: '/echo', functionName: 'echo', auth: false },
    ],
    functions: new FunctionRegistry({ socket: { handler }, echo: { handler: echo } }),
    webSocket: { path: '/ws', stage: 'ws', functionName: 'socket' },
    connections,
    onError,
  });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await gateway.close();
  await connections.close();
});

/** @returns the open connection, or the status with which it was refused */
async function open(path: string): Promise<WebSocket | number> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}`, { headers: { 'X-Own': 'yes' } });
  socket.on('error', () => {});
  sockets.push(socket);
  return await new Promise((resolve) => {
    socket.once('open', () => resolve(socket));
    socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode ?? 0));
  });
}
async function opened(): Promise<{ readonly socket: WebSocket; readonly id: string; readonly received: string[] }> {
  const socket = await open('/ws');
  if (typeof socket === 'number') throw new Error(`refused with ${socket}`);
  const received: string[] = [];
  socket.on('message', (data) => received.push(data.toString()));
  return { socket, id: told.at(-1)?.requestContext.connectionId ?? '', received };
}
const manage = (method: string, id: string, body?: string) =>
  fetch(`${connections.managementUrl}/@connections/${encodeURIComponent(id)}`, {
    method,
    ...(body !== undefined && { body }),
  });
const kinds = () => told.map(({ requestContext: { eventType } }) => eventType);

describe('a WebSocket API', () => {
  it('tells of a connection from its handshake to its end', async () => {
    const socket = await open('/ws?session=a&session=b');
    expect(told).toMatchObject([
      {
        requestContext: { eventType: 'CONNECT', routeKey: '$connect', stage: 'ws' },
        headers: { 'X-Own': 'yes' },
        multiValueQueryStringParameters: { session: ['a', 'b'] },
      },
    ]);
    if (typeof socket === 'number') throw new Error('refused');
    socket.send('hello');
    await vi.waitFor(() => expect(told[1]).toMatchObject({ requestContext: { eventType: 'MESSAGE' }, body: 'hello' }));
    socket.terminate();
    await vi.waitFor(() => expect(kinds()).toEqual(['CONNECT', 'MESSAGE', 'DISCONNECT']));
    expect(new Set(told.map(({ requestContext: { connectionId } }) => connectionId)).size).toBe(1);
  });

  it('refuses a handshake as the function says, or fails', async () => {
    answer = { statusCode: 401 };
    expect(await open('/ws')).toBe(401);
    answer = 'nonsense';
    expect(await open('/ws')).toBe(500);
    expect(onError).toHaveBeenCalledOnce();
    expect(await open('/elsewhere')).toBe(404);
    expect(kinds()).toEqual(['CONNECT', 'CONNECT']);
  });

  it.each([
    ['h2c', 'GET', '/ping', 200, 'pong'],
    ['h2c', 'POST', '/echo', 200, 'hello'],
    ['websocket', 'GET', '/ping', 200, 'pong'],
    ['h2c', 'GET', '/ws', 404, expect.stringContaining('"statusCode":404')],
  ])('leaves Upgrade: %s of %s %s to the API whose server it shares', async (protocol, method, path, status, body) => {
    // As `curl --http2` writes it; fetch takes no such header.
    const headers = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: protocol,
      'http2-settings': 'AAMAAABkAAQAoAAAAAIAAAAA',
    };
    const request = httpRequest(`${gateway.url}${path}`, { method, headers });
    request.end(method === 'POST' ? 'hello' : undefined);
    const [response] = z.tuple([z.instanceof(IncomingMessage)]).parse(await once(request, 'response'));
    expect([response.statusCode, await text(response)]).toEqual([status, body]);
    expect(told).toEqual([]);
  });

  it('cuts what is open when it closes', async () => {
    const { socket } = await opened();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await gateway.close();
    await closed;
    gateway = await startApiGateway({ routes: [], functions: new FunctionRegistry() });
  });
});

describe('its management', () => {
  it('writes to a connection, in order, and ends it', async () => {
    const { socket, id, received } = await opened();
    for (const text of ['1', '2', 'ü']) expect((await manage('POST', id, text)).status).toBe(200);
    await vi.waitFor(() => expect(received).toEqual(['1', '2', 'ü']));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    expect((await manage('DELETE', id)).status).toBe(204);
    await closed;
    await vi.waitFor(() => expect(kinds()).toEqual(['CONNECT', 'DISCONNECT']));
  });

  it('knows when a connection is gone', async () => {
    const { id, socket } = await opened();
    socket.terminate();
    await vi.waitFor(() => expect(kinds()).toContain('DISCONNECT'));
    for (const method of ['POST', 'DELETE']) {
      const gone = await manage(method, id, method === 'POST' ? 'x' : undefined);
      expect([gone.status, gone.headers.get('x-amzn-errortype')]).toEqual([410, 'GoneException']);
    }
  });

  it('takes no message that is too large, and none while the other end does not read', async () => {
    const { id, socket } = await opened();
    const large = await manage('POST', id, 'x'.repeat(129 * 1024));
    expect([large.status, large.headers.get('x-amzn-errortype')]).toEqual([413, 'PayloadTooLargeException']);
    socket.pause();
    const statuses = new Set<number>();
    await vi.waitFor(
      async () => {
        statuses.add((await manage('POST', id, 'x'.repeat(100_000))).status);
        expect(statuses).toContain(429);
      },
      { timeout: 20_000, interval: 1 },
    );
    expect([...statuses]).toEqual([200, 429]);
    expect((await manage('DELETE', id)).status).toBe(204);
    await vi.waitFor(() => expect(kinds()).toContain('DISCONNECT'), { timeout: 10_000 });
  });
});
