import { describe, expect, it } from 'vitest';
import { DependencyError } from '#shared/domain/errors.ts';
import { TestApi } from '../test-support/test-api.ts';

describe('the server', () => {
  it('answers pings without a key', async () => {
    const answer = await new TestApi().call('GET', '/ping', { key: null });
    expect(answer.json).toEqual({ message: 'pong' });
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });

  it('tells whether it is well', async () => {
    const api = new TestApi();
    expect((await api.call('GET', '/health', { key: null })).json).toMatchObject({ status: 'ok' });
    api.sessions.get = async () => {
      throw new DependencyError('table is down');
    };
    const ill = await api.call('GET', '/health', { key: null });
    expect(ill.status).toBe(503);
    expect(ill.json).toMatchObject({ status: 'error', error: { sessions: { status: 'down' } } });
  });

  it.each(['/api/server/version', '/api/version'])('tells its version at %s', async (path) => {
    expect((await new TestApi().call('GET', path)).json).toMatchObject({
      version: '1.2.3',
      engine: 'NOWEB',
      tier: 'TRUNKLINE',
      browser: null,
      worker: { id: null },
    });
  });

  it('tells since when it runs', async () => {
    expect((await new TestApi().call('GET', '/api/server/status')).json).toMatchObject({ startTimestamp: 1_000 });
  });

  it('gives a 500 with a request id, and nothing of what went wrong', async () => {
    const api = new TestApi();
    api.sessions.get = async () => {
      throw new Error('secret detail');
    };
    const answer = await api.call('POST', '/api/sendText', { body: { chatId: '491511234567', text: 'private' } });
    expect(answer.status).toBe(500);
    expect(answer.json).toEqual({
      statusCode: 500,
      message: 'Internal server error',
      error: 'Internal Server Error',
      code: 'internal',
      requestId: 'request-1',
    });
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(JSON.stringify(api.logged)).not.toContain('private');
  });

  it('logs each request once, without anything of its content', async () => {
    const api = new TestApi();
    await api.session('main');
    api.logged.length = 0;
    await api.call('POST', '/api/sendText', { body: { session: 'main', chatId: '491511234567', text: 'private' } });
    await api.call('GET', '/api/main/chats/491511234567/messages?limit=x');
    expect(api.logged).toMatchObject([
      [{ operation: 'sendText', status: 201, requestId: 'request-1' }, 'request'],
      [{ operation: 'getChatMessages', status: 400 }, 'request'],
    ]);
    expect(JSON.stringify(api.logged)).not.toMatch(/private|491511234567/);
  });

  it('does not know other paths', async () => {
    const answer = await new TestApi().call('GET', '/nowhere');
    expect(answer.status).toBe(404);
    expect(answer.json).toMatchObject({ message: 'Cannot GET /nowhere', code: 'not-found' });
  });
});

describe('the documentation', () => {
  it('is a page that loads only what is served beside it', async () => {
    const api = new TestApi();
    const page = await api.call('GET', '/', { key: null });
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    expect(page.headers['content-security-policy']).not.toMatch(/sandbox|trusted-types|upgrade-insecure/);
    const addresses = [...page.text.matchAll(/(?:src|href|data-document)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(addresses).toHaveLength(5);
    for (const address of addresses) {
      const { origin, pathname } = new URL(address);
      expect(origin).toBe('https://api.test');
      const part = await api.call('GET', pathname, { key: null });
      expect(part.status, pathname).toBe(200);
      expect(part.bytes.length).toBeGreaterThan(100);
    }
    expect((await api.call('GET', '/docs/package.json', { key: null })).status).toBe(404);
  });
});
