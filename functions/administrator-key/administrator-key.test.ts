import { expect, it } from 'vitest';
import { MemoryApiKeyStore } from '#shared/adapters/memory/memory-api-key-store.ts';
import { hashApiKey } from '#shared/domain/api-key.ts';
import { createAdministratorKey } from './administrator-key.ts';

const KEY = 'a-key-that-nobody-guesses';
const clock = { now: () => 5 };

it('lets the key in, as an administrator', async () => {
  const keys = new MemoryApiKeyStore();
  await createAdministratorKey({ keys, readKey: async () => KEY, clock })();
  expect(await keys.get(hashApiKey(KEY))).toMatchObject({ isAdmin: true, isActive: true, session: null, createdAt: 5 });
});

it('does not open again what was revoked', async () => {
  const keys = new MemoryApiKeyStore();
  const run = createAdministratorKey({ keys, readKey: async () => KEY, clock });
  await run();
  const row = await keys.get(hashApiKey(KEY));
  if (row === undefined) throw new Error('no key');
  await keys.put({ ...row, isActive: false });
  await run();
  expect((await keys.get(hashApiKey(KEY)))?.isActive).toBe(false);
});

it('refuses a key that could be guessed', async () => {
  const run = createAdministratorKey({ keys: new MemoryApiKeyStore(), readKey: async () => 'secret', clock });
  await expect(run()).rejects.toThrow(RangeError);
});
