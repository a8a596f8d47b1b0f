import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A web server with files, on loopback. */
export interface FileServer {
  readonly port: number;
  close(): Promise<void>;
}

/** @param files by path; everything else is a 404 */
export async function serveFiles(
  files: Readonly<Record<string, { readonly body: Uint8Array; readonly mimetype: string }>>,
): Promise<FileServer> {
  const server = createServer((request, response) => {
    const file = files[request.url ?? ''];
    if (file === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': file.mimetype }).end(file.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
