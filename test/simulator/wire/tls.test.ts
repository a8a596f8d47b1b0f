import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTestCa, type TestCa } from './tls.ts';

async function listen({ certPem, keyPem }: TestCa): Promise<number> {
  const server = createServer({ cert: certPem, key: keyPem }, (socket) => socket.end('hello'));
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function greeting(port: number, ca: string, servername: string): Promise<string> {
  const host = '127.0.0.1';
  const socket = connect(servername === host ? { host, port, ca } : { host, port, ca, servername });
  const [data] = await once(socket, 'data');
  socket.destroy();
  return String(data);
}

describe('the test authority', () => {
  it.each(['127.0.0.1', 'localhost', 'web.whatsapp.com', 'mmg.whatsapp.net', 'media.whatsapp.net'])(
    'vouches for %s',
    async (name) => {
      const ca = await createTestCa();
      expect(await greeting(await listen(ca), ca.caPem, name)).toBe('hello');
    },
  );

  it('does not vouch for another host', async () => {
    const ca = await createTestCa();
    await expect(greeting(await listen(ca), ca.caPem, 'example.org')).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it('is not trusted by those who trust another one', async () => {
    const [ca, other] = await Promise.all([createTestCa(), createTestCa()]);
    await expect(greeting(await listen(ca), other.caPem, 'localhost')).rejects.toThrow();
  });
});
