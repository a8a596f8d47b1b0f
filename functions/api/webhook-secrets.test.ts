import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import { IAM_STAGE_VARIABLES } from '#shared/contracts/api/routes.ts';
import { KEY_ACTIONS } from '#shared/contracts/rows.ts';
import { arbitraryInput } from './test-support/arbitrary.ts';
import { type CallOptions, TestApi } from './test-support/test-api.ts';

const RUNS = { numRuns: Number(process.env.FUZZ_RUNS ?? 20) };
const SECRET = /HMACSECRET|BEARER|whsec_MfKQ/;
const config = {
  webhooks: [
    {
      url: 'https://receiver.test/',
      events: ['*'],
      hmac: { key: 'HMACSECRET' },
      customHeaders: [{ name: 'authorization', value: 'BEARER' }],
      secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    },
  ],
};
const withoutRow: CallOptions = {
  key: null,
  signed: { stageVariables: IAM_STAGE_VARIABLES, userArn: 'arn:aws:iam::123456789012:user/reader' },
};
const withoutSetting: CallOptions = { key: { actions: KEY_ACTIONS.filter((action) => action !== 'setting') } };

const withSecrets = async (): Promise<TestApi> => {
  const api = new TestApi({ ownerWaitMs: 0, stateWaitMs: 0, commandWaitMs: 0 });
  await api.call('POST', '/api/sessions', { body: { name: 'main', config } });
  return api;
};

const harmless = OPERATIONS.filter(({ scope }) => scope !== 'setting').map(
  (operation) => [operation.id, operation] as const,
);

describe.each([
  ['a principal without a row', withoutRow],
  ['a key without `setting`', withoutSetting],
])('%s', (_who, caller) => {
  it.each(harmless)('is not shown by %s what signs webhooks', async (_id, { method, path, request }) => {
    const api = await withSecrets();
    const inputs = (schema: typeof request.body) =>
      schema === undefined ? fc.constant(undefined) : arbitraryInput(schema);
    await fc.assert(
      fc.asyncProperty(inputs(request.query), inputs(request.body), async (query, body) => {
        const search = new URLSearchParams();
        for (const [name, value] of Object.entries(query ?? {}))
          search.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
        const url = `${path.replace(/\{\w+\+?\}/g, 'main')}?${search}`;
        const { text } = await api.call(method, url, { ...caller, ...(body !== undefined && { body }) });
        expect(text).not.toMatch(SECRET);
      }),
      RUNS,
    );
  });

  it.each(['/api/sessions', '/api/sessions/main'])('sees the rest of the configuration at %s', async (url) => {
    const { status, text } = await (await withSecrets()).call('GET', url, caller);
    expect(status).toBe(200);
    expect(text).toContain('receiver.test');
    expect(text).not.toMatch(SECRET);
  });
});

describe('what signs webhooks is shown', () => {
  it.each([
    ['POST', '/api/sessions', { name: 'second', config }],
    ['PUT', '/api/sessions/main', { config }],
    ['POST', '/api/sessions/start', { name: 'main' }],
  ])('to a principal without a row by %s %s', async (method, url, body) => {
    expect((await (await withSecrets()).call(method, url, { ...withoutRow, body })).text).toMatch(SECRET);
  });

  it('to a principal whose row has `setting`, also by reading', async () => {
    const api = await withSecrets();
    const body = { principal: 'arn:aws:iam::123456789012:user/reader', actions: { read: true, setting: true } };
    await api.call('POST', '/api/keys', { key: { isAdmin: true }, body });
    expect((await api.call('GET', '/api/sessions/main', withoutRow)).text).toMatch(SECRET);
  });
});
