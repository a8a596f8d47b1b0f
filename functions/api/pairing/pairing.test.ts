import { describe, expect, it } from 'vitest';
import { TestApi } from '../test-support/test-api.ts';

const qr = { value: '2@abcdefghijklmnop,qrstuvwxyz,0123456789,ABCDEF', expiresAt: Date.now() + 60_000 };

describe('the QR code', () => {
  it('is a PNG, the PNG in base64, or its text', async () => {
    const api = new TestApi();
    await api.session('main', { status: 'SCAN_QR_CODE', qr });
    const png = await api.call('GET', '/api/main/auth/qr');
    expect(png.headers['content-type']).toBe('image/png');
    expect(png.bytes.subarray(1, 4).toString()).toBe('PNG');

    const json = await api.call('GET', '/api/main/auth/qr?format=image', { headers: { Accept: 'application/json' } });
    expect(json.json).toEqual({ mimetype: 'image/png', data: png.bytes.toString('base64') });
    expect((await api.call('GET', '/api/main/auth/qr?format=raw')).json).toEqual({ value: qr.value });
  });

  it('is waited for while the session starts', async () => {
    const api = new TestApi({ stateWaitMs: 5_000 });
    const row = await api.session('main', { status: 'STARTING' });
    const asked = api.call('GET', '/api/main/auth/qr?format=raw');
    await api.sessions.report('main', row.incarnation, 1, { status: 'SCAN_QR_CODE', qr });
    expect((await asked).json).toEqual({ value: qr.value });
  });

  it('of an earlier try is not shown again', async () => {
    const api = new TestApi({ stateWaitMs: 15 });
    await api.session('main', { status: 'STARTING', qr });
    expect((await api.call('GET', '/api/main/auth/qr')).status).toBe(422);
  });

  it('that has expired is not shown: the next one is waited for', async () => {
    const api = new TestApi({ stateWaitMs: 5_000 });
    const expired = { value: '2@expired', expiresAt: Date.now() - 1 };
    const row = await api.session('main', { status: 'SCAN_QR_CODE', qr: expired });
    const asked = api.call('GET', '/api/main/auth/qr?format=raw');
    await api.sessions.report('main', row.incarnation, 1, { qr });
    expect((await asked).json).toEqual({ value: qr.value });
  });

  it('that has expired and has no successor is a 422', async () => {
    const api = new TestApi({ stateWaitMs: 15 });
    await api.session('main', { status: 'SCAN_QR_CODE', qr: { value: '2@expired', expiresAt: Date.now() - 1 } });
    const answer = await api.call('GET', '/api/main/auth/qr');
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({ code: 'wrong-state', message: expect.stringContaining('has expired') });
  });

  it.each(['WORKING', 'FAILED', 'STOPPED', 'STARTING'] as const)('is refused in %s, in WAHA’s form', async (status) => {
    const api = new TestApi({ stateWaitMs: 15 });
    await api.session('main', { status, qr: null });
    const answer = await api.call('GET', '/api/main/auth/qr');
    expect(answer.status).toBe(422);
    expect(answer.json).toEqual({
      error: 'Session status is not as expected. Try again later or restart the session',
      session: 'main',
      status,
      expected: ['SCAN_QR_CODE'],
      code: 'wrong-state',
    });
  });
});

describe('the pairing code', () => {
  it('is asked from the engine', async () => {
    const api = new TestApi({ commandWaitMs: 5_000 });
    await api.session('main', { status: 'SCAN_QR_CODE', qr });
    api.onQueued = async (message) => {
      if (message.kind !== 'job') return;
      expect((await api.jobs.get('main', message.jobId))?.command).toEqual({
        type: 'requestPairingCode',
        phone: '12132132130',
      });
      await api.jobs.advance('main', message.jobId, 1, { state: 'DONE', result: { code: 'ABCD-EFGH' } });
    };
    const answer = await api.call('POST', '/api/main/auth/request-code', { body: { phoneNumber: '+1 213 213 2130' } });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.json).toEqual({ code: 'ABCD-EFGH' });
  });

  it('is refused when there is nothing to pair', async () => {
    const api = new TestApi();
    await api.session('main');
    const answer = await api.call('POST', '/api/main/auth/request-code', { body: { phoneNumber: '12132132130' } });
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({
      message: 'Can request code only in SCAN_QR_CODE status. The current status is WORKING',
      error: 'Unprocessable Entity',
    });
  });
});
