import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { TestCa } from './wire/tls.ts';

/** What the one port of the simulator leads to. */
export interface Handlers {
  request(request: IncomingMessage, response: ServerResponse): void;
  /** A websocket on `/ws/chat`, not yet spoken on. */
  socket(socket: WebSocket): void;
}

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

const TLS_HANDSHAKE = 0x16;
/** The largest websocket message a client may send. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Serves http, https, ws and wss on one port: the first byte of a connection tells TLS from plain text. */
export async function listen(host: string, port: number, ca: TestCa, handlers: Handlers): Promise<Listener> {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES });
  const plain = createServer(handlers.request);
  const secure = createTlsServer({ cert: ca.certPem, key: ca.keyPem }, handlers.request);
  for (const server of [plain, secure]) {
    server.on('upgrade', (request, socket, head) => {
      if (!request.url?.startsWith('/ws/chat')) {
        socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
        return;
      }
      sockets.handleUpgrade(request, socket, head, handlers.socket);
    });
  }
  const open = new Set<Socket>();
  const front = createTcpServer((socket) => {
    open.add(socket);
    socket.setNoDelay(true);
    // A client may vanish at any time; the servers behind hear of it by themselves.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      (first[0] === TLS_HANDSHAKE ? secure : plain).emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  });
  await new Promise<void>((resolve, reject) => {
    front.once('error', reject);
    front.listen(port, host, () => resolve());
  });
  // A server on a host and port always has an address object.
  const address = front.address() as AddressInfo;
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        front.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
