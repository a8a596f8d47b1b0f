import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Another process works on the same data. */
export class DataInUseError extends Error {}

/**
 * Makes this process the only one that works on a data directory. A lock whose process is gone is taken over.
 *
 * @returns how to give it back
 * @throws DataInUseError naming the process
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, 'lock');
  const owner = await ownerOf(path);
  if (owner !== undefined && owner !== process.pid && isRunning(owner)) {
    throw new DataInUseError(
      `${dataDir} is in use by process ${owner}. Stop that one, choose another folder with --data, or delete ${path} if it is no Trunkline.`,
    );
  }
  if (owner !== undefined) await rm(path, { force: true });
  try {
    await writeFile(path, `${process.pid}\n`, { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new DataInUseError(`${dataDir} is in use by a process that started at the same moment.`);
  }
  return () => rm(path, { force: true });
}

async function ownerOf(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const pid = Number(text.trim());
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
