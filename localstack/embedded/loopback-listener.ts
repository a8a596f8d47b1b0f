import type { Server } from 'node:http';

export const LOOPBACK = '127.0.0.1';
/** Longer than clients keep a connection idle: a request never meets a connection that is just being closed. */
const KEEP_ALIVE_MS = 65_000;

/** A running HTTP listener of the local cloud. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  /** `http://host:port`, no slash at the end. */
  readonly url: string;
  /** Stops accepting, cuts idle and busy connections, resolves when the port is free. */
  close(): Promise<void>;
}

export interface ListenOptions {
  /** @default 0 (any free port) */
  readonly port?: number;
  /** @default 127.0.0.1 */
  readonly host?: string;
}

/** Where a server really listens, as the operating system says. */
export function boundAddress(server: Server): { readonly host: string; readonly port: number } {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no TCP address.');
  return { host: address.address, port: address.port };
}

/** Starts `server`; rejects if the port is taken. */
export async function listen(server: Server, options: ListenOptions = {}): Promise<Listener> {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? LOOPBACK, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { host, port } = boundAddress(server);
  return {
    host,
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined || error === null ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}
