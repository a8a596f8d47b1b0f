import { describe, expect, test } from 'vitest';
import { assertStanzaBytes } from './seams.ts';

describe('the seams of Baileys', () => {
  test('the bytes of a stanza are what is decrypted', async () => {
    await expect(assertStanzaBytes()).resolves.toBeUndefined();
  });
});
