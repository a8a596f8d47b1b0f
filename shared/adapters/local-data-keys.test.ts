import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NotFoundError } from '../domain/errors.ts';
import { LocalDataKeys, readMasterKey } from './local-data-keys.ts';

const master = Uint8Array.from({ length: 32 }, (_, index) => index);

describe('LocalDataKeys', () => {
  it('finds its keys again in another process', async () => {
    const { id, key } = await new LocalDataKeys(master).current();
    expect(key).toHaveLength(32);
    expect(id.length).toBeLessThanOrEqual(16);
    expect(await new LocalDataKeys(master).find(id)).toEqual(key);
  });

  it('has a data key of its own in every process, and one only', async () => {
    const keys = new LocalDataKeys(master);
    const { id } = await keys.current();
    expect((await keys.current()).id).toEqual(id);
    expect((await new LocalDataKeys(master).current()).id).not.toEqual(id);
  });

  it('knows keys that were made under another master key', async () => {
    const { id } = await new LocalDataKeys(master).current();
    await expect(new LocalDataKeys(new Uint8Array(32)).find(id)).rejects.toThrow(NotFoundError);
    await expect(new LocalDataKeys(master).find(id.subarray(1))).rejects.toThrow(NotFoundError);
  });

  it('refuses a master key of another length', () => {
    expect(() => new LocalDataKeys(new Uint8Array(16))).toThrow(RangeError);
  });
});

describe('readMasterKey', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'trunkline-key-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const written = async (text: string) => {
    const path = join(directory, 'key');
    await writeFile(path, text);
    return path;
  };

  it('reads 32 bytes in base64', async () => {
    const path = await written(`${Buffer.from(master).toString('base64')}\n`);
    expect(Uint8Array.from(await readMasterKey(path))).toEqual(master);
  });

  it.each(['', 'secret', Buffer.alloc(31).toString('base64'), Buffer.alloc(32).toString('hex')])(
    'refuses %j',
    async (text) => {
      const path = await written(text);
      await expect(readMasterKey(path)).rejects.toThrow('does not hold a master key');
    },
  );

  it('says which file is missing', async () => {
    await expect(readMasterKey(join(directory, 'nowhere'))).rejects.toThrow('nowhere');
  });
});
