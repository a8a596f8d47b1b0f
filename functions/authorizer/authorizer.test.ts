import { beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryApiKeyStore } from '#shared/adapters/memory/memory-api-key-store.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import { keyId, makeApiKey } from '#shared/domain/api-key.ts';
import { KeyPepper } from '#shared/domain/key-pepper.ts';
import { sessionRow } from '#test/contracts/rows.ts';
import { createAuthorizer } from './authorizer.ts';
import { decodeCaller } from './caller.ts';
import { authorizerEnvSchema, usagePlansOf } from './env.ts';
import { createIdentifyKey } from './identify-key.ts';
import { createNoteUse } from './last-used.ts';

const methodArn = 'arn:aws:execute-api:eu-central-1:123456789012:abcdef/prod/GET/api/sessions';
const pepper = new KeyPepper('the-pepper-of-the-tests');
const ID = keyId('a'.repeat(26));
const GOOD = makeApiKey(ID);
const OTHER = makeApiKey(ID);

let keys: MemoryApiKeyStore;
let sessions: MemorySessionStore;
let now: number;
const warned: unknown[] = [];
const clock = { now: () => now };

beforeEach(() => {
  keys = new MemoryApiKeyStore();
  sessions = new MemorySessionStore();
  now = 1_000_000;
  warned.length = 0;
});

const put = (row: Partial<ApiKeyRow> = {}, key = GOOD) =>
  keys.create({
    id: pepper.idOf(key) ?? '',
    version: 1,
    name: null,
    hash: pepper.hash(key),
    isAdmin: false,
    isActive: true,
    session: null,
    actions: ['read', 'send'],
    createdAt: 0,
    ...row,
  });

const ask = (
  headers: Record<string, string> | null,
  query: Record<string, string> | null = null,
  usagePlans?: (plan: string | undefined) => string,
) =>
  createAuthorizer({
    identify: createIdentifyKey({ keys, sessions, clock, readPepper: async () => pepper }),
    noteUse: createNoteUse({ keys, clock, logger: { warn: (...line: unknown[]) => void warned.push(line) } }),
    usagePlans,
  })({ headers, queryStringParameters: query, methodArn });
const refused = (key: string) => expect(ask({ 'x-api-key': key })).rejects.toThrow(/^Unauthorized$/);
const admitted = async (key: string) => expect((await ask({ 'x-api-key': key })).principalId).toBe(pepper.idOf(key));

describe('the authorizer', () => {
  it.each([
    [{ 'X-Api-Key': GOOD }, null],
    [{ 'x-api-key': GOOD }, null],
    [null, { 'x-api-key': GOOD }],
  ])('takes the key from %j %j', async (headers, query) => {
    await put();
    const answer = await ask(headers, query);
    expect(answer.principalId).toBe(ID);
    expect(answer.policyDocument.Statement).toEqual([
      {
        Action: 'execute-api:Invoke',
        Effect: 'Allow',
        Resource: 'arn:aws:execute-api:eu-central-1:123456789012:abcdef/prod/*',
      },
    ]);
  });

  it('takes a key that was not made here', async () => {
    const key = 'some-key-of-the-administrator';
    await put({ isAdmin: true }, key);
    await admitted(key);
    await refused(`${key}x`);
  });

  it('tells who calls in a form that survives API Gateway’s way of handing it on', async () => {
    const handedOn = async (key: string) => {
      const { context } = await ask({ 'x-api-key': key });
      return decodeCaller(Object.fromEntries(Object.entries(context ?? {}).map(([name, value]) => [name, `${value}`])));
    };
    await sessions.create(sessionRow({ name: 'main' }));
    await put({ session: 'main', incarnation: 'inc-1' });
    expect(await handedOn(GOOD)).toEqual({
      keyId: ID,
      isAdmin: false,
      session: 'main',
      incarnation: 'inc-1',
      actions: new Set(['read', 'send']),
    });
    const admin = makeApiKey(keyId('b'.repeat(26)));
    await put({ isAdmin: true, actions: [] }, admin);
    expect(await handedOn(admin)).toEqual({
      keyId: pepper.idOf(admin),
      isAdmin: true,
      session: null,
      actions: new Set(),
    });
  });

  it.each([
    ['no key', {}],
    ['an empty key', { 'x-api-key': '' }],
    ['an unknown key', { 'x-api-key': makeApiKey(keyId('c'.repeat(26))) }],
    ['a key with the id of another', { 'x-api-key': OTHER }],
    ['the hash of a key', { 'x-api-key': pepper.hash(GOOD) }],
    ['a monstrous key', { 'x-api-key': 'x'.repeat(10_000) }],
  ])('refuses %s', async (_what, headers) => {
    await put();
    await expect(ask(headers)).rejects.toThrow(/^Unauthorized$/);
  });

  it('does not even look for a key that is mistyped', async () => {
    await put();
    const look = vi.spyOn(keys, 'get');
    await refused(`${GOOD.slice(0, -1)}${GOOD.endsWith('0') ? '1' : '0'}`);
    await refused(GOOD.slice(0, -1));
    expect(look).not.toHaveBeenCalled();
  });

  it.each([{ isActive: false }, { deletedAt: 1 }, { hash: '' }])('refuses a key whose row says %j', async (row) => {
    await put(row);
    await refused(GOOD);
  });

  it('refuses a key from the moment on when it expires', async () => {
    await put({ expiresAt: now + 10 });
    now += 9;
    await admitted(GOOD);
    now += 1;
    await refused(GOOD);
  });

  it('takes the key before a rotation until its time is over', async () => {
    await put({ previous: { hash: pepper.hash(OTHER), until: now + 10 } });
    await admitted(OTHER);
    now += 10;
    await refused(OTHER);
    await admitted(GOOD);
  });

  it('takes the key of a session only as long as that session exists', async () => {
    const row = sessionRow({ name: 'main', incarnation: 'first' });
    await put({ session: 'main', incarnation: 'first' });
    await refused(GOOD);
    await sessions.create(row);
    await admitted(GOOD);
    await sessions.intend('main', 'first', { desired: 'DELETED' });
    await refused(GOOD);
    await sessions.remove('main', 'first', 1);
    await sessions.create({ ...row, incarnation: 'second' });
    await refused(GOOD);
  });

  it('reads the row for each request: what is revoked is refused at once', async () => {
    await put();
    await admitted(GOOD);
    const row = await keys.get(ID);
    if (row === undefined) throw new Error('no row');
    await keys.replace({ ...row, isActive: false });
    await refused(GOOD);
  });
});

describe('the time of the last use', () => {
  it('is noted, once a minute', async () => {
    await put();
    const used = vi.spyOn(keys, 'used');
    await admitted(GOOD);
    now += 59_999;
    await admitted(GOOD);
    expect(used.mock.calls).toEqual([[ID, 1_000_000]]);
    now += 1;
    await admitted(GOOD);
    expect((await keys.get(ID))?.lastUsedAt).toBe(1_060_000);
  });

  it('is no reason to fail or to wait', async () => {
    await put();
    keys.used = async () => {
      throw new Error('no table');
    };
    await admitted(GOOD);
    expect(warned).toMatchObject([[{ keyId: ID }, expect.any(String)]]);
    keys.used = () => new Promise(() => {});
    await admitted(GOOD);
  });

  it('is not noted of keys that are refused', async () => {
    await put({ isActive: false });
    const used = vi.spyOn(keys, 'used');
    await refused(GOOD);
    expect(used).not.toHaveBeenCalled();
  });
});

describe('the caller', () => {
  it.each([
    [undefined],
    [null],
    [{}],
    [{ principalId: 'x' }],
    [{ keyId: 'x', isAdmin: 'yes', session: '', actions: '' }],
  ])('is not read out of %j', (context) => {
    expect(decodeCaller(context)).toBeUndefined();
  });
});

describe('usage plans', () => {
  const plans = (USAGE_PLANS: string) =>
    usagePlansOf(authorizerEnvSchema.parse({ RESOURCE_PREFIX: 't-dev', USAGE_PLANS }));

  it('count a key under the plan of its row, or the first', () => {
    const keyOf = plans('standard,partner');
    expect(keyOf?.('partner')).toBe('t-dev-callers-counted-under-partner');
    expect(keyOf?.('gone')).toBe('t-dev-callers-counted-under-standard');
    expect(keyOf?.(undefined)).toBe('t-dev-callers-counted-under-standard');
  });

  it('are not mentioned where there are none', async () => {
    await put();
    expect(plans('')).toBeUndefined();
    expect(await ask({ 'x-api-key': GOOD })).not.toHaveProperty('usageIdentifierKey');
  });

  it('are told to API Gateway', async () => {
    await put({ plan: 'partner' });
    const answer = await ask({ 'x-api-key': GOOD }, null, (plan) => `key of ${plan}`);
    expect(answer.usageIdentifierKey).toBe('key of partner');
  });
});
