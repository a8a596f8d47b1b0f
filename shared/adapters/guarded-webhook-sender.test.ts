import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GuardedWebhookSender } from './guarded-webhook-sender.ts';

let server: Server;
let port: number;
let requests: { readonly method: string; readonly headers: IncomingMessage['headers']; readonly body: string }[];
let respond: (response: ServerResponse) => void;
let sender: GuardedWebhookSender;

beforeEach(async () => {
  requests = [];
  respond = (response) => response.end();
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = '', headers } = request;
    requests.push({ method, headers, body: Buffer.concat(chunks).toString('utf8') });
    respond(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  sender = new GuardedWebhookSender({ allowPrivateHosts: ['127.0.0.1'] });
});
afterEach(async () => {
  sender.close();
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

const post = (by = sender) => by.post(`http://127.0.0.1:${port}/`, { 'x-a': 'b' }, '{"text":"ü"}');

it('posts the body as it is', async () => {
  expect(await post()).toEqual({ kind: 'answered', status: 200 });
  expect(requests).toMatchObject([
    { method: 'POST', body: '{"text":"ü"}', headers: { 'x-a': 'b', 'content-length': '13' } },
  ]);
});

it.each([307, 500, 429])('says what was answered: %i', async (status) => {
  respond = (response) => response.writeHead(status, { location: '/elsewhere', 'retry-after': '9' }).end();
  expect(await post()).toEqual({ kind: 'answered', status, retryAfter: '9' });
  expect(requests).toHaveLength(1);
});

it('an answer stands whatever becomes of its body', async () => {
  respond = (response) => {
    response.writeHead(200);
    const more = () => response.write('x'.repeat(1_000), (error) => error ?? setImmediate(more));
    more();
  };
  expect(await post()).toEqual({ kind: 'answered', status: 200 });
  respond = (response) => response.writeHead(200, { 'content-length': '100' }).write('x');
  expect(await post()).toEqual({ kind: 'answered', status: 200 });
});

it('nothing within the time is a timeout', async () => {
  respond = () => {};
  const impatient = new GuardedWebhookSender({ allowPrivateHosts: ['127.0.0.1'], timeoutMs: 100 });
  expect(await post(impatient)).toEqual({ kind: 'timeout' });
  impatient.close();
});

it('says what kept it from arriving', async () => {
  const text = '{}';
  expect(await sender.post('http://127.0.0.2/', {}, text)).toEqual({
    kind: 'refused',
    rule: 'must lead to a public address',
  });
  expect(await sender.post(`https://127.0.0.1:${port}/`, {}, text)).toMatchObject({ kind: 'unreachable' });
  const nobody = new GuardedWebhookSender({ resolve: async () => [] });
  expect(await nobody.post('http://nobody.test/', {}, text)).toEqual({ kind: 'unreachable', reason: 'no-such-host' });
  respond = (response) => response.socket?.destroy();
  expect(await post()).toEqual({ kind: 'unreachable', reason: 'ECONNRESET' });
  respond = ({ socket }) => socket?.write('HTTP/1.1 101 Other\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n');
  expect(await post()).toEqual({ kind: 'unreachable', reason: 'broken-answer' });
});
