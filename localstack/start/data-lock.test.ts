import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataInUseError, lockDataDir } from './data-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the lock of a data directory', () => {
  it('keeps another process out until it is given back', async () => {
    const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await writeFile(join(folder, 'lock'), `${other.pid}\n`);
    await expect(lockDataDir(folder)).rejects.toThrow(DataInUseError);
    await expect(lockDataDir(folder)).rejects.toThrow(`process ${other.pid}`);
    const exited = once(other, 'exit');
    other.kill();
    await exited;
    const release = await lockDataDir(folder);
    expect((await readFile(join(folder, 'lock'), 'utf8')).trim()).toBe(String(process.pid));
    await release();
    await expect(readFile(join(folder, 'lock'))).rejects.toThrow('ENOENT');
  });
});
