import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryApiKeyStore } from '#shared/adapters/memory/memory-api-key-store.ts';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import { type Authorizer, createAuthorizer } from './authorizer.ts';
import { decodeCaller } from './caller.ts';
import { authorizerEnvSchema, usagePlansOf } from './env.ts';

const methodArn = 'arn:aws:execute-api:eu-central-1:123456789012:abcdef/prod/GET/api/sessions';

let authorize: Authorizer;
beforeEach(async () => {
  const keys = new MemoryApiKeyStore();
  const put = (key: string, row: Partial<ApiKeyRow>) =>
    keys.put({
      keyHash: createHash('sha256').update(key).digest('hex'),
      id: `id_${key}`,
      isAdmin: false,
      isActive: true,
      session: null,
      actions: ['read', 'send'],
      createdAt: 0,
      ...row,
    });
  await put('good', { session: 'main' });
  await put('admin', { isAdmin: true, actions: [] });
  await put('revoked', { isActive: false });
  authorize = createAuthorizer({ keys });
});

const ask = (headers: Record<string, string> | null, query: Record<string, string> | null = null) =>
  authorize({ headers, queryStringParameters: query, methodArn });

describe('the authorizer', () => {
  it.each([
    [{ 'X-Api-Key': 'good' }, null],
    [{ 'x-api-key': 'good' }, null],
    [null, { 'x-api-key': 'good' }],
  ])('takes the key from %j %j', async (headers, query) => {
    const answer = await ask(headers, query);
    expect(answer.principalId).toBe('id_good');
    expect(answer.policyDocument.Statement).toEqual([
      {
        Action: 'execute-api:Invoke',
        Effect: 'Allow',
        Resource: 'arn:aws:execute-api:eu-central-1:123456789012:abcdef/prod/*',
      },
    ]);
  });

  it('tells who calls in a form that survives API Gateway’s way of handing it on', async () => {
    const handedOn = async (key: string) => {
      const { context } = await ask({ 'x-api-key': key });
      return decodeCaller(Object.fromEntries(Object.entries(context ?? {}).map(([name, value]) => [name, `${value}`])));
    };
    expect(await handedOn('good')).toEqual({
      keyId: 'id_good',
      isAdmin: false,
      session: 'main',
      actions: new Set(['read', 'send']),
    });
    expect(await handedOn('admin')).toEqual({ keyId: 'id_admin', isAdmin: true, session: null, actions: new Set() });
  });

  it.each([
    ['no key', {}],
    ['an empty key', { 'x-api-key': '' }],
    ['an unknown key', { 'x-api-key': 'bad' }],
    ['a revoked key', { 'x-api-key': 'revoked' }],
    ['a monstrous key', { 'x-api-key': 'x'.repeat(10_000) }],
  ])('refuses %s', async (_what, headers) => {
    await expect(ask(headers)).rejects.toThrow(/^Unauthorized$/);
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
    expect(plans('')).toBeUndefined();
    expect(await ask({ 'x-api-key': 'good' })).not.toHaveProperty('usageIdentifierKey');
  });

  it('are told to API Gateway', async () => {
    const keys = new MemoryApiKeyStore();
    await keys.put({
      keyHash: createHash('sha256').update('k').digest('hex'),
      id: 'id_k',
      isAdmin: true,
      isActive: true,
      session: null,
      actions: [],
      plan: 'partner',
      createdAt: 0,
    });
    const answer = await createAuthorizer({ keys, usagePlans: (plan) => `key of ${plan}` })({
      headers: { 'x-api-key': 'k' },
      queryStringParameters: null,
      methodArn,
    });
    expect(answer.usageIdentifierKey).toBe('key of partner');
  });
});
