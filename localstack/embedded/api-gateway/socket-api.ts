import { randomBytes, randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import * as z from 'zod';
import type { FunctionRegistry } from '../function-registry.ts';
import { queryOf, rawHeadersOf, splitUrl } from './proxy-event.ts';
import type { SocketConnections } from './socket-connections.ts';

const MESSAGE_BYTES = 128 * 1024;
const ROUTES = { CONNECT: '$connect', MESSAGE: '$default', DISCONNECT: '$disconnect' } as const;

const answerSchema = z.object({ statusCode: z.number().int() });

export interface SocketApiOptions {
  /** The one path that it has, and its stage. */
  readonly path: string;
  readonly stage: string;
  /** Behind all three routes. */
  readonly functionName: string;
}

interface SocketApiDeps extends SocketApiOptions {
  readonly functions: FunctionRegistry;
  readonly connections: SocketConnections;
  readonly onError: (error: unknown) => void;
}

/** Whether a request begins a WebSocket of this API. Whatever else wants to upgrade (curl asks for `h2c`) is an ordinary request. */
export function isHandshake({ headers, url = '/' }: IncomingMessage, { path }: SocketApiOptions): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket' && splitUrl(url).path === path;
}

/** An API Gateway WebSocket API on the server of another API: `$connect` decides on the handshake, `$default` has every message. */
export function attachSocketApi(server: Server, deps: SocketApiDeps): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES, perMessageDeflate: false });
  server.on('upgrade', (request, socket, head) => {
    // Before there is a WebSocket that hears of it.
    socket.on('error', () => socket.destroy());
    void shakeHands(request, deps).then(
      ({ status, connectionId }) => {
        if (status >= 200 && status < 300) {
          sockets.handleUpgrade(request, socket, head, (made) => serve(made, request, connectionId, deps));
        } else refuse(socket, status);
      },
      (error: unknown) => {
        deps.onError(error);
        refuse(socket, 500);
      },
    );
  });
}

async function shakeHands(
  request: IncomingMessage,
  deps: SocketApiDeps,
): Promise<{ readonly status: number; readonly connectionId: string }> {
  const connectionId = randomBytes(11).toString('base64');
  // Before Node 24.9 a server that upgrades anything is asked to upgrade everything.
  if (!isHandshake(request, deps)) return { status: 404, connectionId };
  const answer = await deps.functions.invoke(deps.functionName, {
    ...rawHeadersOf(request),
    ...queryOf(splitUrl(request.url ?? '/').searchParams),
    requestContext: contextOf('CONNECT', connectionId, request, deps),
    isBase64Encoded: false,
  });
  return { status: answerSchema.parse(answer).statusCode, connectionId };
}

function serve(socket: WebSocket, request: IncomingMessage, connectionId: string, deps: SocketApiDeps): void {
  const { connections, functions, functionName, onError } = deps;
  const tell = (eventType: 'MESSAGE' | 'DISCONNECT', more: object = {}) =>
    functions
      .invoke(functionName, {
        requestContext: contextOf(eventType, connectionId, request, deps),
        isBase64Encoded: false,
        ...more,
      })
      .catch(onError);
  connections.add(connectionId, socket);
  socket.on('message', (data) => void tell('MESSAGE', { body: data.toString() }));
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    connections.remove(connectionId);
    void tell('DISCONNECT');
  });
}

function contextOf(
  eventType: keyof typeof ROUTES,
  connectionId: string,
  request: IncomingMessage,
  { stage }: SocketApiOptions,
) {
  return {
    eventType,
    routeKey: ROUTES[eventType],
    connectionId,
    requestId: randomUUID(),
    requestTimeEpoch: Date.now(),
    connectedAt: Date.now(),
    messageDirection: 'IN',
    stage,
    apiId: 'local',
    domainName: request.headers.host ?? '',
    identity: { sourceIp: request.socket.remoteAddress ?? '' },
  };
}

function refuse(socket: Duplex, status: number): void {
  const body = JSON.stringify({ message: STATUS_CODES[status] ?? 'Refused', statusCode: status });
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'connection: close',
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}
