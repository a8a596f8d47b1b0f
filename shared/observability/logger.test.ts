import { afterEach, expect, it } from 'vitest';
import { LogLines } from '#test/support/log-lines.ts';
import { DependencyError, EngineError } from '../domain/errors.ts';
import { configureLogTags, createLogger, tag } from './logger.ts';

function setUp(level?: string) {
  const destination = new LogLines();
  const lines = destination.texts;
  const log = createLogger({ name: 'test', destination, ...(level !== undefined && { level }) });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '') };
}

afterEach(() => configureLogTags('key of the tests'));

it('writes one schema', () => {
  const { log, last } = setUp();
  log.info({ shard: 'socket-01', epoch: 3 }, 'acquired');
  expect(last()).toEqual({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    level: 'info',
    name: 'test',
    msg: 'acquired',
    shard: 'socket-01',
    epoch: 3,
  });
});

it('says in each line what belongs to it at that moment', () => {
  const destination = new LogLines();
  let jobId = 'job_1';
  const log = createLogger({ name: 'test', destination, context: () => ({ requestId: 'request-1', jobId }) });
  log.info({ status: 201 }, 'request');
  jobId = 'job_2';
  log.child({ shard: 'socket-01' }).warn('again');
  expect(destination.parsed).toMatchObject([
    { requestId: 'request-1', jobId: 'job_1', status: 201, msg: 'request' },
    { requestId: 'request-1', jobId: 'job_2', shard: 'socket-01', msg: 'again' },
  ]);
});

it('writes from its level on', () => {
  const { log, lines } = setUp('warn');
  log.info('quiet');
  log.warn('loud');
  expect(lines).toHaveLength(1);
});

it.each([
  { body: 'secret' },
  { text: 'secret' },
  { qr: 'secret' },
  { chatId: 'secret' },
  { row: { caption: 'secret', from: 'secret', me: { id: 'secret' } } },
  { creds: { noiseKey: { private: 'secret' } } },
  { 'x-api-key': 'secret' },
  { request: { headers: { 'x-api-key': 'secret' } } },
])('masks what is private: %j', (fields) => {
  const { log, lines } = setUp();
  log.info(fields, 'something');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('secret');
  expect(lines[0]).toContain('[redacted]');
});

it('says what kind of error it was and where, never in its own words', () => {
  const { log, lines, last } = setUp();
  const error = new DependencyError('secret', {
    cause: Object.assign(new TypeError('secret'), { code: 'ECONNRESET' }),
  });
  log.error({ err: error }, 'failed');
  expect(last().err).toMatchObject({
    type: 'DependencyError',
    code: 'dependency',
    retryable: true,
    at: expect.stringContaining('logger.test.ts'),
    cause: { type: 'TypeError', code: 'ECONNRESET' },
  });
  log.error(new EngineError('nack-463', 'secret'));
  expect(last()).toMatchObject({ msg: 'error', err: { reason: 'nack-463' } });
  log.error({ err: error });
  log.error({ error }, 'failed');
  expect(lines).toHaveLength(4);
  expect(lines.join('')).not.toContain('secret');
});

it('gives the same tag for the same id and key, and tells nothing', () => {
  configureLogTags('one');
  const first = tag('4915100000001@c.us');
  expect(first).toMatch(/^[0-9a-f]{8}$/);
  expect(tag('4915100000001@c.us')).toBe(first);
  expect(tag('4915100000002@c.us')).not.toBe(first);
  configureLogTags('two');
  expect(tag('4915100000001@c.us')).not.toBe(first);
});
