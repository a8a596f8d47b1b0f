import { createConnection, createServer, type Socket } from 'node:net';

/** Stands between a session and WhatsApp as a network does that can forget a connection. For tests. */
export interface SilentProxy {
  /** The given address, by way of the proxy. */
  url(address: string): string;
  /** From now on the connections that are open stay open and carry nothing. New ones are as good as ever. */
  silence(): void;
  close(): Promise<void>;
}

export async function startSilentProxy(target: string): Promise<SilentProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection({ host: hostname, port: Number(port) });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    url: (original) => {
      const url = new URL(original);
      url.port = String(address.port);
      url.hostname = '127.0.0.1';
      return url.href;
    },
    silence: () => {
      for (const socket of sockets) {
        socket.unpipe();
        // What still comes is read and lost.
        socket.resume();
      }
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
