import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import { type Listener, listen } from '../loopback-listener.ts';
import { readBody } from '../request-body.ts';

const MESSAGE_BYTES = 128 * 1024;
/** What is kept for a client that does not read, besides what the operating system keeps. */
const WAITING_BYTES = 256 * 1024;
const GOODBYE_MS = 1_000;

const ERRORS = {
  GoneException: 410,
  LimitExceededException: 429,
  PayloadTooLargeException: 413,
  NotFoundException: 404,
} as const;

/** The open connections of a WebSocket API, and its management API (`POST` and `DELETE /@connections/{id}`) on loopback. */
export class SocketConnections {
  readonly #sockets = new Map<string, WebSocket>();
  readonly #listener: Listener;

  private constructor(listener: Listener) {
    this.#listener = listener;
  }

  static async start(): Promise<SocketConnections> {
    const server = createServer((request, response) => void connections.#serve(request, response));
    const connections = new SocketConnections(await listen(server));
    return connections;
  }

  get managementUrl(): string {
    return this.#listener.url;
  }

  add(id: string, socket: WebSocket): void {
    this.#sockets.set(id, socket);
  }

  remove(id: string): void {
    this.#sockets.delete(id);
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.#sockets.values()) socket.terminate();
  }

  async close(): Promise<void> {
    this.cut();
    await this.#listener.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const id = /^\/@connections\/([^/?]+)$/.exec(request.url ?? '')?.[1];
      const body = await readBody(request, MESSAGE_BYTES);
      if (id === undefined) return refuse(response, 'NotFoundException');
      if (body === undefined) return refuse(response, 'PayloadTooLargeException');
      const socket = this.#sockets.get(decodeURIComponent(id));
      if (socket === undefined || socket.readyState !== socket.OPEN) return refuse(response, 'GoneException');
      if (request.method === 'DELETE') {
        disconnect(socket);
        response.writeHead(204).end();
      } else if (request.method !== 'POST') refuse(response, 'NotFoundException');
      else if (socket.bufferedAmount > WAITING_BYTES) refuse(response, 'LimitExceededException');
      else {
        socket.send(body.toString('utf8'));
        response.writeHead(200).end();
      }
    } catch {
      // A caller that went away while it sent its body.
      response.destroy();
    }
  }
}

/** Whoever does not read does not say goodbye either. */
function disconnect(socket: WebSocket): void {
  socket.close(1000);
  const timer = setTimeout(() => socket.terminate(), GOODBYE_MS);
  socket.once('close', () => clearTimeout(timer));
}

function refuse(response: ServerResponse, name: keyof typeof ERRORS): void {
  response
    .writeHead(ERRORS[name], { 'content-type': 'application/json', 'x-amzn-errortype': name })
    .end(JSON.stringify({ message: name }));
}
