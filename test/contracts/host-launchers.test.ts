import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startHostProcesses } from '#localstack/embedded/host-processes.ts';
import { LocalHostLauncher } from '#localstack/embedded/local-host-launcher.ts';
import { createEcsClient, EcsHostLauncher } from '#shared/adapters/ecs-host-launcher.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { setEnv } from './aws-backing.ts';
import { EcsStub } from './ecs-stub.ts';
import { defineHostLauncherContract } from './host-launcher-contract.ts';

async function startEcs(services: Record<string, string> = { socket: 'socket-hosts' }, cluster = 'trunkline') {
  const ecs = new EcsStub();
  const listener = await ecs.listen('trunkline', 'socket-hosts');
  const restoreEnv = setEnv({
    AWS_ENDPOINT_URL_ECS: listener.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  const client = createEcsClient();
  const close = async () => {
    client.destroy();
    restoreEnv();
    await listener.close();
  };
  return { ecs, launcher: new EcsHostLauncher(client, { cluster, services }), close };
}

defineHostLauncherContract('ECS', () => startEcs());

defineHostLauncherContract('child processes', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'launcher-'));
  const program = join(directory, 'host.mjs');
  await writeFile(program, 'setInterval(() => {}, 1000);');
  const hosts = startHostProcesses({ program, count: 0, env: {} });
  return {
    launcher: new LocalHostLauncher(Promise.resolve(hosts)),
    close: async () => {
      await hosts.stop();
      await rm(directory, { recursive: true });
    },
  };
});

describe('the ECS launcher', () => {
  it.each([
    ['of a service that does not exist', { socket: 'other' }, 'trunkline'],
    ['of a cluster that does not exist', { socket: 'socket-hosts' }, 'other'],
  ])('says so %s', async (_, services, cluster) => {
    const { launcher, close } = await startEcs(services, cluster);
    await expect(launcher.count('socket')).rejects.toBeInstanceOf(DependencyError);
    await expect(launcher.want('socket', 1)).rejects.toBeInstanceOf(DependencyError);
    await close();
  });

  it('does not count a service that was deleted', async () => {
    const { ecs, launcher, close } = await startEcs();
    ecs.status = 'INACTIVE';
    await expect(launcher.count('socket')).rejects.toBeInstanceOf(DependencyError);
    await close();
  });
});
