import { beforeEach, describe, expect, it } from 'vitest';
import { DependencyError } from '#shared/domain/errors.ts';
import { onTrail, trailFields } from './request-trail.ts';
import { TestApi } from './test-support/test-api.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLERS = `00-${TRACE}-b7ad6b7169203331-00`;
const TEXT = { session: 'main', chatId: '491511234567', text: 'Hello' };

let api: TestApi;
beforeEach(async () => {
  api = new TestApi();
  await api.session('main');
  api.logged.length = 0;
});
const sendText = (headers: Record<string, string> = {}) => api.call('POST', '/api/sendText', { body: TEXT, headers });
const jobs = () => api.jobs.list('main', { limit: 10, offset: 0 });
const lines = () => api.logged.map(([fields]) => fields);

describe('a request with a traceparent', () => {
  it.each(['traceparent', 'Traceparent', 'TRACEPARENT'])('makes a job in its trace, named %s', async (name) => {
    await sendText({ [name]: CALLERS });
    const [job] = await jobs();
    expect(job?.traceparent).toMatch(new RegExp(`^00-${TRACE}-(?!b7ad6b7169203331)[0-9a-f]{16}-00$`));
    expect(lines()).toMatchObject([{ operation: 'sendText', jobId: job?.jobId, traceparent: job?.traceparent }]);
  });

  it('tells the host of a changed session under it', async () => {
    api.queued.length = 0;
    await api.call('POST', '/api/sessions/main/restart', { headers: { traceparent: CALLERS } });
    expect(api.queued).toMatchObject([
      { message: { kind: 'session-changed', traceparent: expect.stringContaining(TRACE) } },
    ]);
  });

  it('is answered all the same when that is not valid, and begins a trace', async () => {
    expect((await sendText({ traceparent: `00-${TRACE}-0000000000000000-01` })).status).toBe(201);
    const [job] = await jobs();
    expect(job?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(job?.traceparent).not.toContain(TRACE);
  });

  it('begins a trace when it has two', () => {
    const event = {
      requestContext: { requestId: 'request-1' },
      multiValueHeaders: { traceparent: [CALLERS, CALLERS] },
    };
    const { traceparent } = onTrail(event, trailFields);
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-/);
    expect(traceparent).not.toContain(TRACE);
  });
});

describe('the trail of a request', () => {
  it('is its own, also of requests side by side', async () => {
    await Promise.all([sendText(), sendText(), sendText()]);
    const made = (await jobs()).map(({ jobId, traceparent }) => ({ jobId, traceparent }));
    expect(new Set(made.map(({ traceparent }) => traceparent)).size).toBe(3);
    expect(lines()).toEqual(expect.arrayContaining(made.map((job) => expect.objectContaining(job))));
    expect(trailFields()).toEqual({});
  });

  it('has the job that an idempotency key had made before', async () => {
    await sendText({ 'idempotency-key': 'a-secret-of-mine' });
    await sendText({ 'idempotency-key': 'a-secret-of-mine' });
    const [job, ...others] = await jobs();
    expect(others).toEqual([]);
    expect(lines()).toMatchObject([{ jobId: job?.jobId }, { jobId: job?.jobId }]);
    const [first, second] = api.logged.map(([fields]) => (fields as { traceparent: string }).traceparent);
    expect(job?.traceparent).toBe(first);
    expect(second).not.toBe(first);
    expect(JSON.stringify(api.logged)).not.toContain('secret');
  });

  it('has the job that could not be queued', async () => {
    api.onQueued = async () => {
      throw new DependencyError('SQS is away');
    };
    expect((await sendText()).status).toBe(503);
    const [job] = await jobs();
    expect(lines()).toMatchObject([
      { err: expect.anything(), jobId: job?.jobId, requestId: 'request-1' },
      { operation: 'sendText', status: 503, jobId: job?.jobId, requestId: 'request-1' },
    ]);
  });

  it('is without a job where none was made', async () => {
    await api.call('GET', '/api/sessions');
    expect(lines()).toEqual([expect.not.objectContaining({ jobId: expect.anything() })]);
    expect(lines()).toMatchObject([{ requestId: 'request-1', traceparent: expect.any(String) }]);
  });
});

describe('x-request-id', () => {
  it.each([
    ['GET', '/api/sessions', 200],
    ['GET', '/api/sessions/nobody', 404],
    ['GET', '/nowhere', 404],
  ])('is in the answer to %s %s, where other origins may read it', async (method, path, status) => {
    const { status: answered, headers } = await api.call(method, path);
    expect(answered).toBe(status);
    expect(headers['x-request-id']).toBe('request-1');
    expect(headers['access-control-expose-headers']?.split(',')).toEqual([
      'content-disposition',
      'retry-after',
      'x-request-id',
    ]);
  });
});
