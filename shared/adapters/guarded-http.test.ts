import { execFile } from 'node:child_process';
import type { LookupAddress } from 'node:dns';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GuardedHttp, type GuardedHttpOptions } from './guarded-http.ts';
import { createRuleBrokenBy } from './vetted-target.ts';

let server: Server;
let port: number;
let requests: { readonly url: string; readonly host: string; readonly connection: number }[];
let connections: number;
let respond: (request: IncomingMessage, response: ServerResponse) => void;
const opened: GuardedHttp[] = [];

beforeEach(async () => {
  requests = [];
  connections = 0;
  respond = (_request, response) => response.end('content');
  const numbers = new WeakMap<object, number>();
  server = createServer((request, response) => {
    const connection = numbers.get(request.socket) ?? 0;
    requests.push({ url: request.url ?? '', host: request.headers.host ?? '', connection });
    respond(request, response);
  });
  server.on('connection', (socket) => {
    connections += 1;
    numbers.set(socket, connections);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  for (const client of opened.splice(0)) client.close();
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
});

const run = promisify(execFile);
const GUARDED_HTTP = new URL('./guarded-http.ts', import.meta.url).href;
/** A program: what it is told is this module and a port. Node looks at a proxy's variables only when it starts. */
const BOTH_WAYS = `
  import { once } from 'node:events';
  import { get } from 'node:http';
  const [, module, port] = process.argv;
  const url = (path) => 'http://127.0.0.1:' + port + path;
  const [answer] = await once(get(url('/others')), 'response');
  answer.resume();
  const { GuardedHttp } = await import(module);
  const guarded = new GuardedHttp({ allowPrivateHosts: ['127.0.0.1'] });
  const signal = AbortSignal.timeout(5_000);
  const { kind, response } = await guarded.request(url('/guarded'), { method: 'GET', headers: {}, signal });
  if (kind !== 'answered') throw new Error(kind);
  response.resume();
`;

const known: Readonly<Record<string, readonly string[]>> = {
  'ours.test': ['127.0.0.1'],
  'private.test': ['127.0.0.1'],
  localhost: ['127.0.0.1', '::1'],
  'a.localhost': ['127.0.0.1'],
  'mixed.test': ['8.8.8.8', '10.0.0.1'],
  'ula.test': ['fd00:ec2::254'],
  'empty.test': [],
};
const addressesOf = (all: readonly string[]): LookupAddress[] =>
  all.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
const resolve = async (host: string) => {
  const addresses = known[host.replace(/\.$/, '')];
  if (addresses === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  return addressesOf(addresses);
};

/** Lets `ours.test` through, which is this test's server, and nothing else that is private. */
function guarded(options: GuardedHttpOptions = {}): GuardedHttp {
  const client = new GuardedHttp({ allowPrivateHosts: ['ours.test'], resolve, ...options });
  opened.push(client);
  return client;
}

async function get(client: GuardedHttp, url: string, timeoutMs = 5_000) {
  const answer = await client.request(url, { method: 'GET', headers: {}, signal: AbortSignal.timeout(timeoutMs) });
  if (answer.kind !== 'answered') return answer;
  for await (const _chunk of answer.response);
  return { kind: answer.kind, status: answer.response.statusCode };
}

const PUBLIC = 'must lead to a public address';
const PROTOCOL = 'must be http or https';
const USER = 'must not contain a user or password';
const UNREADABLE = 'cannot be read';

/** What nobody may reach: name, URL, the rule that it breaks, and whether that shows before the name is resolved. */
const HOSTILE: readonly (readonly [string, string, string, 'at once' | 'resolved'])[] = [
  ['another protocol', 'file:///etc/passwd', PROTOCOL, 'at once'],
  ['another protocol', 'ftp://ours.test/a', PROTOCOL, 'at once'],
  ['another protocol', 'gopher://ours.test:70/_x', PROTOCOL, 'at once'],
  ['another protocol', 'ws://ours.test/', PROTOCOL, 'at once'],
  ['a script', 'javascript:alert(1)', PROTOCOL, 'at once'],
  ['data', 'data:text/plain,hello', PROTOCOL, 'at once'],
  ['a file in the host’s place', 'file://ours.test/etc/passwd', PROTOCOL, 'at once'],
  ['no URL', 'not a url', UNREADABLE, 'at once'],
  ['nothing', '', UNREADABLE, 'at once'],
  ['no host', 'http://', UNREADABLE, 'at once'],
  ['no host', 'http:///path', PUBLIC, 'resolved'],
  ['no host but a port', 'http://:80/', UNREADABLE, 'at once'],
  ['a port that is none', 'http://ours.test:99999/', UNREADABLE, 'at once'],
  ['a port that is none', 'http://ours.test:80:81/', UNREADABLE, 'at once'],
  ['a user', 'http://user@ours.test/', USER, 'at once'],
  ['a user and password', 'http://user:secret@ours.test/', USER, 'at once'],
  ['an allowed host before the @', 'http://ours.test@127.0.0.1:PORT/', USER, 'at once'],
  ['an allowed host before the @, escaped', 'http://ours.test%40127.0.0.1:PORT/', UNREADABLE, 'at once'],
  ['an allowed host behind a backslash', 'http://127.0.0.1:PORT\\@ours.test/', PUBLIC, 'at once'],
  ['an allowed host behind a hash', 'http://127.0.0.1:PORT#@ours.test/', PUBLIC, 'at once'],
  ['loopback', 'http://127.0.0.1:PORT/', PUBLIC, 'at once'],
  ['loopback with a dot', 'http://127.0.0.1.:PORT/', PUBLIC, 'at once'],
  ['another loopback', 'http://127.8.9.10:PORT/', PUBLIC, 'at once'],
  ['loopback in decimal', 'http://2130706433:PORT/', PUBLIC, 'at once'],
  ['loopback in hexadecimal', 'http://0x7f000001:PORT/', PUBLIC, 'at once'],
  ['loopback in hexadecimal parts', 'http://0x7f.0x0.0x0.0x1:PORT/', PUBLIC, 'at once'],
  ['loopback in octal', 'http://0177.0.0.1:PORT/', PUBLIC, 'at once'],
  ['short loopback', 'http://127.1:PORT/', PUBLIC, 'at once'],
  ['full-width digits', 'http://１２７.０.０.１:PORT/', PUBLIC, 'at once'],
  ['circled digits', 'http://①②⑦.⓪.⓪.①:PORT/', PUBLIC, 'at once'],
  ['escaped digits', 'http://%31%32%37.0.0.1:PORT/', PUBLIC, 'at once'],
  ['tab and line end', 'http://127.0\t.0.1\n:PORT/', PUBLIC, 'at once'],
  ['localhost', 'http://localhost:PORT/', PUBLIC, 'at once'],
  ['localhost with a dot', 'http://localhost.:PORT/', PUBLIC, 'at once'],
  ['below localhost', 'http://a.LOCALHOST:PORT/', PUBLIC, 'at once'],
  ['the unspecified address', 'http://0.0.0.0:PORT/', PUBLIC, 'at once'],
  ['the unspecified address, short', 'http://0:PORT/', PUBLIC, 'at once'],
  ['private', 'http://10.1.2.3/', PUBLIC, 'at once'],
  ['private', 'http://172.16.0.1/', PUBLIC, 'at once'],
  ['private', 'http://192.168.1.1:8443/', PUBLIC, 'at once'],
  ['carrier-grade NAT', 'http://100.64.0.1/', PUBLIC, 'at once'],
  ['multicast', 'http://224.0.0.1/', PUBLIC, 'at once'],
  ['broadcast', 'http://255.255.255.255/', PUBLIC, 'at once'],
  ['instance metadata', 'http://169.254.169.254/latest/meta-data/', PUBLIC, 'at once'],
  ['instance metadata in decimal', 'http://2852039166/latest/', PUBLIC, 'at once'],
  ['instance metadata in octal', 'http://0251.0376.0251.0376/', PUBLIC, 'at once'],
  ['task metadata', 'http://169.254.170.2/v2/credentials', PUBLIC, 'at once'],
  ['metadata of the Alibaba cloud', 'http://100.100.100.200/', PUBLIC, 'at once'],
  ['metadata over IPv6', 'http://[fd00:ec2::254]/latest/', PUBLIC, 'at once'],
  ['IPv6 loopback', 'http://[::1]:PORT/', PUBLIC, 'at once'],
  ['IPv6 loopback in full', 'http://[0:0:0:0:0:0:0:1]:PORT/', PUBLIC, 'at once'],
  ['IPv6 unspecified', 'http://[::]:PORT/', PUBLIC, 'at once'],
  ['link-local', 'http://[fe80::1]:PORT/', PUBLIC, 'at once'],
  ['link-local with a zone', 'http://[fe80::1%25eth0]:PORT/', UNREADABLE, 'at once'],
  ['mapped loopback', 'http://[::ffff:127.0.0.1]:PORT/', PUBLIC, 'at once'],
  ['mapped loopback in hexadecimal', 'http://[::ffff:7f00:1]:PORT/', PUBLIC, 'at once'],
  ['mapped metadata', 'http://[::ffff:169.254.169.254]/', PUBLIC, 'at once'],
  ['mapped public', 'http://[::ffff:8.8.8.8]/', PUBLIC, 'at once'],
  ['compatible', 'http://[::127.0.0.1]:PORT/', PUBLIC, 'at once'],
  ['translated (NAT64)', 'http://[64:ff9b::7f00:1]:PORT/', PUBLIC, 'at once'],
  ['translated metadata', 'http://[64:ff9b::a9fe:a9fe]/', PUBLIC, 'at once'],
  ['locally translated', 'http://[64:ff9b:1::a9fe:a9fe]/', PUBLIC, 'at once'],
  ['6to4', 'http://[2002:7f00:1::]:PORT/', PUBLIC, 'at once'],
  ['Teredo', 'http://[2001:0:7f00:1::]:PORT/', PUBLIC, 'at once'],
  ['a name of a private address', 'http://private.test:PORT/', PUBLIC, 'resolved'],
  ['the same with a dot', 'http://private.test.:PORT/', PUBLIC, 'resolved'],
  ['an allowed name with a dot', 'http://ours.test.:PORT/', PUBLIC, 'resolved'],
  ['a name with one private address of two', 'http://mixed.test:PORT/', PUBLIC, 'resolved'],
  ['a name of metadata over IPv6', 'http://ula.test/', PUBLIC, 'resolved'],
];

const ruleBrokenBy = createRuleBrokenBy(new Set(['ours.test']));

describe('hostile URLs', () => {
  it.each(HOSTILE)('%s: %s %s', async (_, url, rule, when) => {
    const text = url.replace('PORT', String(port));
    const answer = await get(guarded(), text);
    if (text === 'http:///path') expect(answer).toEqual({ kind: 'no-such-host' });
    else expect(answer).toEqual({ kind: 'refused', rule });
    expect(connections).toBe(0);
    if (when === 'at once') expect(ruleBrokenBy(text)).toBe(rule);
  });

  it.each(['http://ours.test:PORT/', 'HTTP://OURS.TEST:PORT/', 'http://ours.test:PORT\\a'])(
    '%s is none',
    async (url) => {
      const text = url.replace('PORT', String(port));
      expect(await get(guarded(), text)).toEqual({ kind: 'answered', status: 200 });
      expect(ruleBrokenBy(text)).toBeUndefined();
      expect(requests[0]?.host).toBe(`ours.test:${port}`);
    },
  );

  it('that say localhost are refused whatever is said of it', async () => {
    const resolve = () => Promise.reject(new Error('nobody was to be asked'));
    expect(await get(guarded({ resolve }), 'http://a.localhost/')).toEqual({ kind: 'refused', rule: PUBLIC });
  });

  it.each(['http://unknown.test/', 'http://empty.test/'])('%s is nobody', async (url) => {
    expect(await get(guarded(), url)).toEqual({ kind: 'no-such-host' });
  });
});

describe('a name that changes', () => {
  /** Answers with the first address, and with another from then on. */
  const changing = (...turns: readonly (readonly string[])[]) => {
    let turn = 0;
    return async () => addressesOf(turns[Math.min(turn++, turns.length - 1)] ?? []);
  };

  it('is connected to as it was vetted, and resolved once for each request', async () => {
    let lookups = 0;
    const once = async () => {
      lookups += 1;
      return addressesOf(lookups === 1 ? ['127.0.0.1'] : ['10.0.0.1']);
    };
    const client = guarded({ resolve: once });
    expect(await get(client, `http://ours.test:${port}/`)).toMatchObject({ kind: 'answered' });
    expect(lookups).toBe(1);
  });

  it('does not get a connection to another address', async () => {
    const client = guarded({ keepAlive: true, resolve: changing(['127.0.0.1'], ['127.0.0.1'], ['127.0.0.2']) });
    await get(client, `http://ours.test:${port}/1`);
    await get(client, `http://ours.test:${port}/2`);
    await expect(get(client, `http://ours.test:${port}/3`)).rejects.toThrow();
    expect(requests.map(({ connection }) => connection)).toEqual([1, 1]);
  });
});

describe('connections', () => {
  it('are used again when they may wait, and are not otherwise', async () => {
    for (const [keepAlive, count] of [
      [true, 1],
      [false, 3],
    ] as const) {
      const client = guarded({ keepAlive });
      const before = connections;
      for (let turn = 0; turn < 3; turn += 1) await get(client, `http://ours.test:${port}/`);
      expect(connections - before).toBe(count);
    }
  });

  it('that the other side has closed meanwhile are replaced', async () => {
    const client = guarded({ keepAlive: true });
    await get(client, `http://ours.test:${port}/`);
    respond = (request, response) => {
      if (requests.length === 2) request.socket.destroy();
      else response.end();
    };
    expect(await get(client, `http://ours.test:${port}/`)).toEqual({ kind: 'answered', status: 200 });
    expect(requests.map(({ connection }) => connection)).toEqual([1, 1, 2]);
  });

  it('that the other side has closed, all that wait, cost no request', async () => {
    const client = guarded({ keepAlive: true });
    const all = Array.from({ length: 5 }, () => `http://ours.test:${port}/`);
    const together: ServerResponse[] = [];
    respond = (_request, response) => {
      together.push(response);
      if (together.length === all.length) for (const each of together) each.end();
    };
    await Promise.all(all.map((url) => get(client, url)));
    const old = connections;
    respond = (request, response) => {
      if ((requests.at(-1)?.connection ?? 0) <= old) request.socket.resetAndDestroy();
      else response.end();
    };
    // The first of them finds one that is closed, and four more are waiting.
    expect(await get(client, `http://ours.test:${port}/`)).toEqual({ kind: 'answered', status: 200 });
    expect(requests.slice(all.length).map(({ connection }) => connection <= old)).toEqual([true, false]);
  });

  it('that waited are not replaced when the other side has answered, though it closes them', async () => {
    const client = guarded({ keepAlive: true });
    await get(client, `http://ours.test:${port}/`);
    respond = (request) => request.socket.end(UPGRADE);
    await expect(get(client, `http://ours.test:${port}/`)).rejects.toThrow('another protocol');
    expect(requests.map(({ connection }) => connection)).toEqual([1, 1]);
  });

  it('go through no proxy of the environment, where others do', async () => {
    await run(process.execPath, ['--input-type=module', '--eval', BOTH_WAYS, GUARDED_HTTP, String(port)], {
      env: {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^no_proxy$/i.test(name))),
        NODE_USE_ENV_PROXY: '1',
        HTTP_PROXY: `http://127.0.0.1:${port}`,
        http_proxy: `http://127.0.0.1:${port}`,
      },
    });
    expect(requests.map(({ url }) => url)).toEqual([`http://127.0.0.1:${port}/others`, '/guarded']);
  });
});

const UPGRADE = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n';

describe('time', () => {
  it('is not spent on a server that wants to speak another protocol, and its connection is not kept', async () => {
    let left = false;
    respond = ({ socket }) => socket.on('close', () => (left = true)).write(UPGRADE);
    await expect(get(guarded(), `http://ours.test:${port}/`)).rejects.toThrow('another protocol');
    await vi.waitFor(() => expect(left).toBe(true));
  });

  it.each<[string, () => Promise<never>]>([['a resolver that never answers', () => new Promise<never>(() => {})]])(
    'ends %s',
    async (_, never) => {
      await expect(get(guarded({ resolve: never }), `http://ours.test:${port}/`, 50)).rejects.toThrow();
    },
  );

  it('ends a server that never answers', async () => {
    respond = () => {};
    await expect(get(guarded(), `http://ours.test:${port}/`, 50)).rejects.toThrow();
  });
});
