import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiKeyForm, isKeyId, keyId, makeApiKey, maskedApiKey } from './api-key.ts';
import { KeyPepper } from './key-pepper.ts';

const ID = keyId('01kb0000000000000000000000');
const ids = fc.stringMatching(/^[a-z0-9]{26}$/).map(keyId);
const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 });
const pepper = new KeyPepper('pepper-of-this-installation');

describe('a key', () => {
  it('carries its id and all of its secret', () => {
    fc.assert(
      fc.property(ids, secrets, secrets, (id, one, other) => {
        const key = makeApiKey(id, one);
        expect(apiKeyForm(key)).toEqual({ kind: 'own', id });
        expect(key).toMatch(/^trunkline_[a-z0-9]{26}_[A-Za-z0-9]{49}$/);
        expect(makeApiKey(id, other) === key).toBe(Buffer.compare(one, other) === 0);
      }),
    );
  });

  it('is told from what is mistyped, cut off or shown in part', () => {
    fc.assert(
      fc.property(fc.nat(85), fc.constantFrom('0', 'Z', 'a', '_', ' '), (at, letter) => {
        const key = makeApiKey(ID, new Uint8Array(32).fill(7));
        const typo = key.slice(0, at) + letter + key.slice(at + 1);
        if (typo !== key) expect(apiKeyForm(typo).kind).not.toBe('own');
      }),
    );
    for (const broken of [makeApiKey(ID).slice(0, -1), `${makeApiKey(ID)}0`, maskedApiKey(ID)]) {
      expect(apiKeyForm(broken)).toEqual({ kind: 'broken' });
      expect(pepper.idOf(broken)).toBeUndefined();
    }
  });

  it('is another each time', () => {
    expect(makeApiKey(ID)).not.toBe(makeApiKey(ID));
  });

  it('has an id of one form', () => {
    expect(() => keyId('ABC')).toThrow(RangeError);
    expect(() => makeApiKey(ID, new Uint8Array(16))).toThrow(RangeError);
    expect(isKeyId('key_id_')).toBe(false);
  });
});

describe('under a pepper', () => {
  const other = new KeyPepper('pepper-of-another-installation');

  it('keys have hashes that nobody else can make', () => {
    const key = makeApiKey(ID);
    expect(pepper.hash(key)).toMatch(/^[0-9a-f]{64}$/);
    expect(pepper.hash(key)).toBe(pepper.hash(key));
    expect(other.hash(key)).not.toBe(pepper.hash(key));
    expect(pepper.hash(makeApiKey(ID))).not.toBe(pepper.hash(key));
  });

  it('a key of elsewhere has an id that does not give it away', () => {
    const id = pepper.idOf('made-elsewhere') ?? '';
    expect(isKeyId(id)).toBe(true);
    expect(pepper.idOf('made-elsewhere')).toBe(id);
    expect(other.idOf('made-elsewhere')).not.toBe(id);
  });

  it('derived keys are the same for the same row, and for no other', () => {
    const id = pepper.derivedId('main', 'one', 'media');
    const all = [
      pepper.derivedKey(id, 'a'),
      pepper.derivedKey(id, 'b'),
      other.derivedKey(id, 'a'),
      pepper.derivedKey(pepper.derivedId('main', 'two', 'media'), 'a'),
      pepper.derivedKey(pepper.derivedId('main', 'one', 'control'), 'a'),
      pepper.derivedKey(pepper.derivedId('mai', 'none', 'media'), 'a'),
    ];
    expect(pepper.derivedKey(id, 'a')).toBe(all[0]);
    expect(new Set(all).size).toBe(all.length);
    expect(apiKeyForm(all[0] ?? '')).toEqual({ kind: 'own', id });
  });

  it('that could be guessed nothing is done', () => {
    expect(() => new KeyPepper('short')).toThrow(RangeError);
  });
});
