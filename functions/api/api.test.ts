import { describe, expect, it } from 'vitest';
import { TestApi } from './test-support/test-api.ts';

describe('the life of a session over HTTP', () => {
  it('is created, shows its QR code, sends, and is deleted', async () => {
    const api = new TestApi();
    const created = await api.call('POST', '/api/sessions', { body: { name: 'main', unknown: 1 } });
    expect(created.status, created.text).toBe(201);
    expect(created.json).toMatchObject({ name: 'main', status: 'STARTING', engine: { engine: 'NOWEB' }, me: null });
    const row = await api.sessions.get('main');
    if (row === undefined) throw new Error('no row');
    expect(api.queued).toMatchObject([{ shard: row.shard, message: { kind: 'session-changed', session: 'main' } }]);

    const qr = { value: '2@abc,def,ghi,jkl', expiresAt: Date.now() + 60_000 };
    await api.sessions.report('main', row.incarnation, 1, { status: 'SCAN_QR_CODE', qr });
    expect((await api.call('GET', '/api/main/auth/qr?format=raw')).json).toEqual({ value: qr.value });

    await api.sessions.report('main', row.incarnation, 1, { status: 'WORKING', qr: null });
    const sent = await api.call('POST', '/api/sendText', {
      body: { session: 'main', chatId: '+49 151 1234567', text: 'Hi', nonsense: true },
    });
    expect(sent.status, sent.text).toBe(201);
    expect(sent.json).toMatchObject({ to: '491511234567@c.us', body: 'Hi', fromMe: true, ack: 0, ackName: 'PENDING' });
    const last = api.queued.at(-1);
    expect(last).toMatchObject({ shard: row.shard, lane: 'sends', message: { kind: 'job', session: 'main' } });

    api.onQueued = async () => api.sessions.remove('main', row.incarnation, 2);
    expect((await api.call('DELETE', '/api/sessions/main')).status).toBe(200);
    expect((await api.call('GET', '/api/sessions/main')).status).toBe(404);
  });
});
