import { afterEach, describe, expect, it } from 'vitest';
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
  { a: { b: { c: [{ d: { text: 'secret' } }] } } },
  { call: { input: { Body: 'secret' } } },
  { a: { bytes: Buffer.from('secret') } },
  { a: { b: { c: { d: { e: { f: { g: { h: 'secret' } } } } } } } },
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

it('masks what a logger says in each of its lines', () => {
  const { log, lines } = setUp();
  log.child({ jobId: 'job_1', chatId: 'secret' }).warn({ round: 1 }, 'again');
  expect(lines.join('')).toContain('"chatId":"[redacted]"');
  expect(lines.join('')).not.toContain('secret');
});

describe('of an error', () => {
  const logged = (error: unknown) => {
    const { log, lines, last } = setUp();
    log.error({ err: error }, 'failed');
    log.error({ of: { the: { error } } }, 'failed');
    expect(lines.join('')).not.toMatch(/secret|4915112345678/);
    return last().of.the.error;
  };
  const frames = (error: unknown) => (logged(error).at ?? '').split('\n');
  const changed = (message: string, later: string) => {
    const error = new Error(message);
    // Who asks for the stack has it written.
    expect(error.stack).toContain(message);
    return Object.assign(error, { message: later });
  };
  const HERE = 'logger.test.ts';
  const FORGED = 'bad\n    at secret (file:///secret.ts:1:1)\n    at 4915112345678 my secret text';

  it.each([
    ['as it is', new Error(FORGED)],
    ['of a class', new DependencyError(FORGED)],
    ['with another name', Object.assign(new TypeError(FORGED), { name: 'secret\n    at file:///secret.ts:1:1' })],
    ['that ends in a line break', new Error(`${FORGED}\n`)],
    ['twice', new Error(`${FORGED}\n${FORGED}`)],
  ])('no line of the message is taken for a place: %s', (_what, error) => {
    expect(frames(error)[0]).toContain(HERE);
  });

  it.each([
    ['another', changed(FORGED, 'other')],
    ['none', changed(FORGED, '')],
    ['its first line', changed('bad\n    at 4915112345678 my secret text', 'bad')],
  ])('nor of an earlier message, where there is %s now', (_what, error) => {
    logged(error);
  });

  it('the place is told without a message', () => {
    expect(frames(new Error())[0]).toContain(HERE);
    expect(frames(new RangeError(''))[0]).toContain(HERE);
  });

  it.each([
    ['4915112345678@c.us', '[redacted]'],
    ['4915112345678', '[redacted]'],
    ['my secret text', '[redacted]'],
    ['x'.repeat(65), '[redacted]'],
    ['', '[redacted]'],
    ['ERR_SOCKET_CLOSED', 'ERR_SOCKET_CLOSED'],
    ['AWS.SimpleQueueService.NonExistentQueue', 'AWS.SimpleQueueService.NonExistentQueue'],
    ['nack-463', 'nack-463'],
  ])('code, reason and name are words: %s', (word, told) => {
    const error = Object.assign(new Error('secret'), { code: word, reason: word, name: word });
    expect(logged(error)).toMatchObject({ type: told, code: told, reason: told });
  });

  it('causes are told, four deep, and not the errors that one is made of', () => {
    const parts = [new Error(FORGED), changed('secret', 'secret')];
    const aggregate = Object.assign(new AggregateError(parts, FORGED), { code: 'ECONNREFUSED' });
    const deep = [1, 2, 3, 4, 5, 6].reduce<Error>((cause, level) => new Error(`secret ${level}`, { cause }), aggregate);
    let depth = 0;
    for (let { cause } = logged(deep); cause !== undefined; cause = cause.cause) depth += 1;
    expect(depth).toBe(4);
    expect(logged(new DependencyError('secret', { cause: aggregate })).cause).toEqual({
      type: 'AggregateError',
      code: 'ECONNREFUSED',
      at: expect.stringContaining(HERE),
    });
    const endless = new Error('secret');
    endless.cause = endless;
    logged(endless);
  });

  it('what is thrown without being one tells what it is', () => {
    for (const thrown of ['my secret text', 4915112345678, { message: 'secret' }]) {
      const { log, lines } = setUp();
      log.error({ err: thrown }, 'failed');
      expect(JSON.parse(lines[0] ?? '').err).toEqual({ type: typeof thrown });
    }
  });
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
