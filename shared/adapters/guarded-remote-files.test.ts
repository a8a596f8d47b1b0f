import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DependencyError, EngineError } from '../domain/errors.ts';
import { GuardedRemoteFiles, type GuardedRemoteFilesOptions } from './guarded-remote-files.ts';

let server: Server;
let port: number;
let paths: string[];
let respond: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  paths = [];
  respond = (_request, response) => response.end('content');
  server = createServer((request, response) => {
    paths.push(request.url ?? '');
    respond(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
});

const addresses: Record<string, readonly string[]> = {
  'files.test': ['127.0.0.1'],
  'private.test': ['127.0.0.1'],
  'empty.test': [],
};

/** Lets `files.test` through, which is this test's server, and nothing else that is private. */
function remoteFiles(options: GuardedRemoteFilesOptions = {}) {
  return new GuardedRemoteFiles({
    allowPrivateHosts: ['files.test'],
    resolve: async (host) => {
      const known = addresses[host];
      if (known === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
      return known.map((address) => ({ address, family: 4 }));
    },
    ...options,
  });
}

const own = (path = '/') => `http://files.test:${port}${path}`;
const fetching = async (url: string, options?: GuardedRemoteFilesOptions) => {
  const { mimetype, filename, read } = await remoteFiles(options).open(url);
  return { mimetype, filename, body: await read() };
};
const engineError = async (fetched: Promise<unknown>) => {
  const error = await fetched.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EngineError);
  return error instanceof EngineError ? error.reason : undefined;
};

describe('what it fetches', () => {
  it('gives body, type and name', async () => {
    respond = (_request, response) => {
      response.setHeader('content-type', 'Image/PNG; charset=binary');
      response.setHeader(
        'content-disposition',
        `attachment; filename="x.png"; filename*=UTF-8''%C3%BC%2F..%2Fsmall.png`,
      );
      response.end('png');
    };
    const { body, ...rest } = await fetching(own('/a/b.gif?c=d'));
    expect(Buffer.from(body).toString()).toBe('png');
    expect(rest).toEqual({ mimetype: 'image/png', filename: 'small.png' });
    expect(paths).toEqual(['/a/b.gif?c=d']);
  });

  it.each([
    ['/photos/cat%20one.jpg?size=1', 'cat one.jpg'],
    ['/photos/', undefined],
    ['/download', undefined],
    ['/%2e%2e%2f%2e%2e%2fetc%2fpasswd.txt', 'passwd.txt'],
    ['/bad%E0%A4%A', undefined],
  ])('takes a name from the path %s: %s', async (path, filename) => {
    const file = await fetching(own(path));
    expect(file.filename).toBe(filename);
    expect(file.mimetype).toBeUndefined();
  });

  it('follows three redirects and no fourth', async () => {
    respond = (request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('end');
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    };
    expect(Buffer.from((await fetching(own('/3'))).body).toString()).toBe('end');
    expect(await engineError(fetching(own('/4')))).toBe('media-refused');
  });

  it('asks an address that may be private when its host is on the list', async () => {
    await expect(fetching(`http://127.0.0.1:${port}/`, { allowPrivateHosts: ['127.0.0.1'] })).resolves.toBeDefined();
  });
});

describe('a file that is not read at once', () => {
  const PATIENCE = { timeout: 5_000 };

  it.each([
    ['its length', { 'content-length': '7' }, 7],
    ['nothing of its length', {}, 10],
  ])('tells how much it may be when the server says %s', async (_, headers, mostBytes) => {
    respond = (_request, response) => response.writeHead(200, headers).end('content');
    const file = await remoteFiles({ maxBytes: 10 }).open(own());
    expect(file.mostBytes).toBe(mostBytes);
    expect(Buffer.from(await file.read()).toString()).toBe('content');
  });

  it('takes no time while it waits', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const file = await remoteFiles({ timeoutMs: 1_000 }).open(own());
      vi.advanceTimersByTime(60_000);
      expect(Buffer.from(await file.read()).toString()).toBe('content');
    } finally {
      vi.useRealTimers();
    }
  });

  it('is let go when nobody wants it', async () => {
    let left = false;
    respond = (request, response) => {
      request.socket.on('close', () => (left = true));
      response.writeHead(200, { 'content-length': '100' }).write('some');
    };
    (await remoteFiles().open(own())).close();
    await vi.waitFor(() => expect(left).toBe(true), PATIENCE);
  });

  it('may be gone by then', async () => {
    let socket: IncomingMessage['socket'] | undefined;
    respond = (request, response) => {
      socket = request.socket;
      response.writeHead(200, { 'content-length': '100' }).write('some');
    };
    const file = await remoteFiles().open(own());
    socket?.destroy();
    await vi.waitFor(() => expect(socket?.closed).toBe(true), PATIENCE);
    await expect(file.read()).rejects.toBeInstanceOf(DependencyError);
  });
});

describe('what it refuses', () => {
  it('what the guard refuses', async () => {
    for (const url of ['file:///etc/passwd', `http://127.0.0.1:${port}/`, `http://private.test:${port}/`])
      expect(await engineError(fetching(url))).toBe('media-refused');
    expect(paths).toEqual([]);
  });

  it('a redirect to where it may not go', async () => {
    respond = (_request, response) => response.writeHead(302, { location: `http://127.0.0.1:${port}/inside` }).end();
    expect(await engineError(fetching(own('/start')))).toBe('media-refused');
    expect(paths).toEqual(['/start']);
  });

  it('a port that hosts do not get out on, at once or behind a redirect', async () => {
    respond = (_request, response) => response.writeHead(302, { location: 'http://192.0.2.1:8080/' }).end();
    for (const url of ['http://203.0.114.1:8080/', own()]) {
      await expect(fetching(url)).rejects.toMatchObject({
        reason: 'media-refused',
        message: 'The URL of the file must have the port 80 or 443',
      });
    }
    expect(paths).toEqual(['/']);
  });

  it('a redirect to another protocol', async () => {
    respond = (_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    expect(await engineError(fetching(own()))).toBe('media-refused');
  });

  it('a file that says it is too large', async () => {
    respond = (_request, response) => response.writeHead(200, { 'content-length': '11' }).flushHeaders();
    expect(await engineError(fetching(own(), { maxBytes: 10 }))).toBe('media-refused');
  });

  it('a file that turns out too large', async () => {
    respond = (_request, response) => {
      response.write('x'.repeat(6));
      response.write('x'.repeat(6));
    };
    expect(await engineError(fetching(own(), { maxBytes: 10 }))).toBe('media-refused');
  });

  it('a file of exactly the limit is not too large', async () => {
    respond = (_request, response) => response.end('x'.repeat(10));
    expect((await fetching(own(), { maxBytes: 10 })).body).toHaveLength(10);
  });

  it('a compressed answer to a request that wants none', async () => {
    respond = (request, response) => {
      expect(request.headers['accept-encoding']).toBe('identity');
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
    };
    expect(await engineError(fetching(own()))).toBe('media-refused');
  });
});

describe('what is missing or away', () => {
  it.each([400, 401, 403, 404, 410, 204])('status %i: missing', async (status) => {
    respond = (_request, response) => response.writeHead(status).end();
    expect(await engineError(fetching(own()))).toBe('media-missing');
  });

  it.each([500, 502, 503, 408, 429])('status %i: may work later', async (status) => {
    respond = (_request, response) => response.writeHead(status).end();
    await expect(fetching(own())).rejects.toBeInstanceOf(DependencyError);
  });

  it.each(['http://unknown.test/', 'http://empty.test/'])('a host that does not exist: %s', async (url) => {
    expect(await engineError(fetching(url))).toBe('media-missing');
  });

  it('a resolver that is away', async () => {
    const resolve = async () => {
      throw Object.assign(new Error('try again'), { code: 'EAI_AGAIN' });
    };
    await expect(fetching(own(), { resolve })).rejects.toBeInstanceOf(DependencyError);
  });

  it('a server that never answers', async () => {
    respond = () => {};
    await expect(fetching(own(), { timeoutMs: 50 })).rejects.toBeInstanceOf(DependencyError);
  });

  it.each([
    ['says how long the file is', 'Content-Length: 100\r\n\r\nsome'],
    ['ends the file with the connection', '\r\nsome'],
    ['sends the file in pieces', 'Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n'],
  ])('a server that %s, and is too slow', async (_, rest) => {
    respond = ({ socket }) => socket.write(`HTTP/1.1 200 OK\r\n${rest}`);
    await expect(fetching(own(), { timeoutMs: 100 })).rejects.toBeInstanceOf(DependencyError);
  });

  it('a server that wants to speak another protocol', async () => {
    respond = ({ socket }) => socket.write('HTTP/1.1 101 Other\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n');
    await expect(fetching(own())).rejects.toBeInstanceOf(DependencyError);
  });

  it('a server that stops in the middle', async () => {
    respond = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('some');
      response.socket?.end();
    };
    await expect(fetching(own())).rejects.toBeInstanceOf(DependencyError);
  });

  it('a resolver that never answers', async () => {
    const resolve = () => new Promise<never>(() => {});
    await expect(fetching(own(), { resolve, timeoutMs: 50 })).rejects.toBeInstanceOf(DependencyError);
  });

  it('a port where nobody listens', async () => {
    const gone = `http://files.test:${port}/`;
    await new Promise((resolve) => server.close(resolve));
    await expect(fetching(gone)).rejects.toBeInstanceOf(DependencyError);
    server = createServer().listen(0, '127.0.0.1');
  });
});
