import { expect, it } from 'vitest';
import { MemoryApiKeyStore } from '#shared/adapters/memory/memory-api-key-store.ts';
import { MemoryAuditLog } from '#shared/adapters/memory/memory-audit-log.ts';
import { keyId, makeApiKey } from '#shared/domain/api-key.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { KeyPepper } from '#shared/domain/key-pepper.ts';
import { createAdministratorKey } from './administrator-key.ts';

const KEY = 'a-key-that-nobody-guesses';
const clock = { now: () => 5 };
const pepper = new KeyPepper('pepper-of-this-installation');
const letIn = (keys: MemoryApiKeyStore, key = KEY, audit = new MemoryAuditLog()) =>
  createAdministratorKey({ keys, audit, readKey: async () => key, readPepper: async () => pepper, clock })('request');
const entriesOf = async (audit: MemoryAuditLog) => (await audit.list({ from: 0, to: 9, limit: 9 })).entries;

it.each([KEY, makeApiKey(keyId('a'.repeat(26)))])('lets the key in, as an administrator', async (key) => {
  const keys = new MemoryApiKeyStore();
  await letIn(keys, key);
  const [row] = await keys.list();
  expect(row).toMatchObject({ id: pepper.idOf(key), isAdmin: true, isActive: true, session: null, createdAt: 5 });
  expect(row?.hash).toBe(pepper.hash(key));
  expect(JSON.stringify(row)).not.toContain(key);
});

it('tells the audit log of the key that it has made, and of nothing when it has made none', async () => {
  const [keys, audit] = [new MemoryApiKeyStore(), new MemoryAuditLog()];
  await letIn(keys, KEY, audit);
  await letIn(keys, KEY, audit);
  expect(await entriesOf(audit)).toEqual([
    {
      id: expect.stringMatching(/^[0-9a-z]{26}$/),
      at: 5,
      operation: 'administratorKey',
      actor: { keyId: null, principal: null, system: 'administrator-key' },
      session: null,
      keyId: pepper.idOf(KEY),
      fields: [],
      requestId: 'request',
      sourceAddress: null,
      outcome: 'done',
    },
  ]);
});

it('makes no key that cannot be written down', async () => {
  const [keys, audit] = [new MemoryApiKeyStore(), new MemoryAuditLog()];
  audit.write = async () => {
    throw new DependencyError('no table');
  };
  await expect(letIn(keys, KEY, audit)).rejects.toThrow(DependencyError);
  expect(await keys.list()).toEqual([]);
});

it('does not open again what was revoked', async () => {
  const keys = new MemoryApiKeyStore();
  await letIn(keys);
  const [row] = await keys.list();
  if (row === undefined) throw new Error('no key');
  await keys.replace({ ...row, isActive: false });
  await letIn(keys);
  expect(await keys.list()).toMatchObject([{ isActive: false }]);
});

it.each(['secret', makeApiKey(keyId('a'.repeat(26))).slice(0, -1)])(
  'refuses a key that could be guessed, or is cut off',
  async (key) => {
    await expect(letIn(new MemoryApiKeyStore(), key)).rejects.toThrow(RangeError);
  },
);
