import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { keyId, makeApiKey } from '#shared/domain/api-key.ts';

/** What an installation on one machine keeps beside its data: made once, then the same at every start. */
export interface Installation {
  readonly dataDir: string;
  /** The administrator's API key. Kept readable for its owner here, hashed everywhere else. */
  readonly apiKey: string;
  /** Under which keys are hashed. Without it none works any more. */
  readonly keyPepper: string;
  /** Key under which ids are hashed in logs. */
  readonly logHashKey: string;
  /** File with the master key under which session state is encrypted. Without it every login is lost. */
  readonly stateKeyFile: string;
}

export async function openInstallation(dataDir: string): Promise<Installation> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const stateKeyFile = join(dataDir, 'state-key');
  await secret(stateKeyFile, () => randomBytes(32).toString('base64'));
  return {
    dataDir,
    stateKeyFile,
    apiKey: await secret(join(dataDir, 'api-key'), () => makeApiKey(keyId(ulid().toLowerCase()))),
    keyPepper: await secret(join(dataDir, 'key-pepper'), () => randomBytes(32).toString('hex')),
    logHashKey: await secret(join(dataDir, 'log-hash-key'), () => randomBytes(32).toString('hex')),
  };
}

/** Reads the file; makes it, whole or not at all and readable for its owner only, where it is missing. */
async function secret(path: string, make: () => string): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${make()}\n`, { mode: 0o600, flush: true });
  try {
    await link(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
  return (await readFile(path, 'utf8')).trim();
}
