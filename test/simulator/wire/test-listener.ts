import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** A websocket server on a free loopback port that hands every connection to `onSocket`. */
export async function listenForClients(onSocket: (socket: WebSocket) => void) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', onSocket);
  await once(server, 'listening');
  // A listening TCP server has an address of this kind; only pipes have a string.
  const { port } = server.address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}/ws/chat`;
  return {
    url,
    async connect(): Promise<WebSocket> {
      const socket = new WebSocket(url);
      await once(socket, 'open');
      return socket;
    },
    async close(): Promise<void> {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
