import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalDataKeys, readMasterKey } from './local-data-keys.ts';

const session = { name: 'alpha', incarnation: 'one' };
const master = Uint8Array.from({ length: 32 }, (_, index) => index);

describe('LocalDataKeys', () => {
  it('derives the keys that it has always derived: what is stored stays readable', async () => {
    const id = Buffer.from('5ab8c392000102030405060708090a0b', 'hex');
    expect(Buffer.from(await new LocalDataKeys(master).find(session, id)).toString('hex')).toBe(
      '98d7b1429a69ebeee0cdc45d5bc2ad35dc93b67f36584cfadf46018d0a2ad47b',
    );
  });

  it('has a data key of its own in every process', async () => {
    const { id } = await new LocalDataKeys(master).current(session);
    expect((await new LocalDataKeys(master).current(session)).id).not.toEqual(id);
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
