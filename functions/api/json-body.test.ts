import { describe, expect, it } from 'vitest';
import { ValidationError } from '#shared/domain/errors.ts';
import { readJsonBody } from './json-body.ts';
import { TestApi } from './test-support/test-api.ts';

const bytes = (...parts: readonly (string | readonly number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const read = (body: Uint8Array | string | null) =>
  body instanceof Uint8Array
    ? readJsonBody({ body: Buffer.from(body).toString('base64'), isBase64Encoded: true })
    : readJsonBody({ body, isBase64Encoded: false });
const refusal = (body: Uint8Array | string): unknown => {
  try {
    return read(body);
  } catch (error) {
    return error instanceof ValidationError ? error.issues : error;
  }
};

describe('a body', () => {
  it.each([
    ['nothing', null],
    ['an empty text', ''],
    ['blanks', ' \r\n'],
    ['blanks as bytes', bytes('  ')],
  ])('of %s is an empty object', (_what, body) => {
    expect(read(body)).toEqual({});
  });

  it('may begin with a byte order mark', () => {
    expect(read(bytes([0xef, 0xbb, 0xbf], '{"a": "ä"}'))).toEqual({ a: 'ä' });
  });

  it.each([
    ['bytes that never are UTF-8', bytes('{"text": "', [0xff, 0xfe], '"}')],
    ['half a character', bytes('{"text": "', [0xc3], '"}')],
    ['an encoded surrogate', bytes('{"text": "', [0xed, 0xa0, 0x80], '"}')],
    ['UTF-16', Buffer.from('{"text": "ä"}', 'utf16le')],
  ])('with %s is refused, and says so', (_what, body) => {
    expect(refusal(body)).toEqual([{ path: 'body', message: 'must be UTF-8' }]);
  });

  it.each(['{', '{"text": "secret', '[1', "{'a': 1}", '{} {}'])('%s is refused, without its words', (body) => {
    expect(refusal(body)).toEqual([{ path: 'body', message: 'must be JSON' }]);
  });

  it.each([
    '['.repeat(101) + ']'.repeat(101),
    `${'{"a":'.repeat(101)}1${'}'.repeat(101)}`,
    '['.repeat(4_000_000),
    `{"text": "\\"", "deep": ${'['.repeat(200)}${']'.repeat(200)}}`,
  ])('that is nested too deep is refused before it is parsed', (body) => {
    expect(refusal(body)).toEqual([{ path: 'body', message: 'must not be nested deeper than 100 levels' }]);
  });

  it.each([
    '['.repeat(100) + ']'.repeat(100),
    `[${'{},'.repeat(1_000)}{}]`,
    JSON.stringify({ text: '['.repeat(1_000), more: `\\"${'{'.repeat(1_000)}`, end: '\\' }),
  ])('that is not is read', (body) => {
    expect(read(body)).toEqual(JSON.parse(body));
  });
});

describe('a field that is called as what JavaScript’s objects have', () => {
  it.each(['__proto__', 'constructor', 'prototype'])(
    '%s is a field like any other, and changes no object',
    async (name) => {
      const api = new TestApi();
      const config = `{"metadata": {"${name}": "x", "note": "y"}, "${name}": {"polluted": 1}}`;
      const body = `{"name": "main", "${name}": {"prototype": {"polluted": 1}, "polluted": 1}, "config": ${config}}`;
      const answer = await api.call('POST', '/api/sessions', { body });
      expect(answer.status, answer.text).toBe(201);
      expect(answer.json).toMatchObject({ config: { metadata: { note: 'y' } } });
      expect({}).not.toHaveProperty('polluted');
      expect(await api.sessions.get('main')).not.toHaveProperty('polluted');
    },
  );
});

describe('a body is not looked at', () => {
  it('of a request that may not do what it asks for', async () => {
    const api = new TestApi();
    const call = async (key: object | null) => (await api.call('POST', '/api/sendText', { body: '{', key })).status;
    expect([await call(null), await call({ actions: ['read'] }), await call({})]).toEqual([401, 403, 400]);
  });
});
