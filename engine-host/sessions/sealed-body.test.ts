import { describe, expect, it } from 'vitest';
import { LocalDataKeys } from '#shared/adapters/local-data-keys.ts';
import { NotFoundError } from '#shared/domain/errors.ts';
import { CorruptStateError } from './corrupt-state-error.ts';
import { type BodyPlace, openBody, sealBody } from './sealed-body.ts';

const keys = new LocalDataKeys(new Uint8Array(32).fill(1));
const place: BodyPlace = { kind: 'changes', session: { name: 'alpha', incarnation: 'one' }, lsn: 7, epoch: 3 };
const content = Uint8Array.from({ length: 300 }, (_, index) => index % 256);

describe('sealed body', () => {
  it.each([0, 1, 300, 40_000, 2_000_000])('gives back %i bytes', async (length) => {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * index) % 256);
    const opened = await openBody(await sealBody(bytes, place, keys), place, keys);
    expect(Buffer.compare(opened, bytes)).toBe(0);
  });

  it('costs less than 64 bytes, compresses, and shows nothing', async () => {
    expect((await sealBody(new Uint8Array(0), place, keys)).length).toBeLessThan(64);
    const sealed = await sealBody(Buffer.from('secret '.repeat(1_000)), place, keys);
    expect(sealed.length).toBeLessThan(128);
    expect(Buffer.from(await sealBody(Buffer.from('secret'), place, keys)).includes('secret')).toBe(false);
  });

  it('is another one each time', async () => {
    expect(await sealBody(content, place, keys)).not.toEqual(await sealBody(content, place, keys));
  });

  it('lies anywhere in a buffer', async () => {
    const sealed = await sealBody(content, place, keys);
    const around = Buffer.concat([Buffer.from('xx'), sealed, Buffer.from('yy')]);
    expect(Uint8Array.from(await openBody(around.subarray(2, 2 + sealed.length), place, keys))).toEqual(content);
  });

  it.each<[string, BodyPlace]>([
    ['another kind', { ...place, kind: 'seal' }],
    ['a checkpoint', { ...place, kind: 'checkpoint' }],
    ['another session', { ...place, session: { name: 'beta', incarnation: 'one' } }],
    ['another incarnation', { ...place, session: { name: 'alpha', incarnation: 'two' } }],
    ['another position', { ...place, lsn: 8 }],
    ['another epoch', { ...place, epoch: 4 }],
  ])('cannot be opened as %s', async (_, elsewhere) => {
    const sealed = await sealBody(content, place, keys);
    await expect(openBody(sealed, elsewhere, keys)).rejects.toThrow(CorruptStateError);
  });

  it('cannot be opened when any byte is wrong, or when it is cut short', async () => {
    const sealed = await sealBody(Uint8Array.of(1, 2, 3), place, keys);
    for (let index = 0; index < sealed.length; index += 1) {
      const damaged = Uint8Array.from(sealed);
      damaged[index] = (damaged[index] ?? 0) ^ 0x40;
      await expect(openBody(damaged, place, keys)).rejects.toSatisfy(isRefusal);
      await expect(openBody(sealed.subarray(0, index), place, keys)).rejects.toSatisfy(isRefusal);
    }
  });

  it('cannot be opened under another master key, and says so', async () => {
    const sealed = await sealBody(content, place, keys);
    const other = new LocalDataKeys(new Uint8Array(32).fill(2));
    await expect(openBody(sealed, place, other)).rejects.toThrow(NotFoundError);
    await expect(openBody(sealed, place, other)).rejects.toThrow(/another master key .* STATE_KEY_FILE/);
    const restarted = new LocalDataKeys(new Uint8Array(32).fill(1));
    expect(Uint8Array.from(await openBody(sealed, place, restarted))).toEqual(content);
  });
});

function isRefusal(error: unknown): boolean {
  return error instanceof CorruptStateError || error instanceof NotFoundError;
}
