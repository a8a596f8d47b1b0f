import { expect, it } from 'vitest';
import { MemoryApiKeyStore } from '#shared/adapters/memory/memory-api-key-store.ts';
import { keyId, makeApiKey } from '#shared/domain/api-key.ts';
import { KeyPepper } from '#shared/domain/key-pepper.ts';
import { createAdministratorKey } from './administrator-key.ts';

const KEY = 'a-key-that-nobody-guesses';
const clock = { now: () => 5 };
const pepper = new KeyPepper('pepper-of-this-installation');
const letIn = (keys: MemoryApiKeyStore, key = KEY) =>
  createAdministratorKey({ keys, readKey: async () => key, readPepper: async () => pepper, clock })();

it.each([KEY, makeApiKey(keyId('a'.repeat(26)))])('lets the key in, as an administrator', async (key) => {
  const keys = new MemoryApiKeyStore();
  await letIn(keys, key);
  const [row] = await keys.list();
  expect(row).toMatchObject({ id: pepper.idOf(key), isAdmin: true, isActive: true, session: null, createdAt: 5 });
  expect(row?.hash).toBe(pepper.hash(key));
  expect(JSON.stringify(row)).not.toContain(key);
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
