import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '#localstack/demo/api-client.ts';
import { type CloudEnvironment, createClients } from '#localstack/embedded/cloud-clients.ts';
import { startLocalCloud } from '#localstack/embedded/local-cloud.ts';
import type { ResourceClients } from '#localstack/embedded/resource-creation.ts';
import { type Platform, type PlatformOptions, startPlatform } from '#localstack/start/platform.ts';
import { SimulatorAdmin } from '#localstack/start/simulator-admin.ts';
import { type SimulatorProcess, startSimulatorProcess } from '#localstack/start/simulator-process.ts';
import { removeEverything } from '#test/target/removal.ts';
import { outsideTarget } from '#test/target/target.ts';
import { KmsStub } from '../contracts/kms-stub.ts';
import { runProgram } from './program.ts';
import { pair } from './running-platform.ts';

/** One installation of several; only one runs at a time. */
export interface Neighbour {
  readonly platform: Platform;
  readonly api: ApiClient;
  /** As `RunningPlatform.pair`. */
  pair(session: string): Promise<string>;
}

/** This run's target with several installations in it, one WhatsApp behind them, and one KMS. */
export interface SharedCloud {
  readonly simulator: SimulatorProcess;
  readonly whatsapp: SimulatorAdmin;
  readonly clients: ResourceClients;
  /** The prefix of an installation. */
  prefixOf(name: string): string;
  /** Starts an installation; its hosts encrypt under the KMS key `alias/state`, and keys are hashed under the same pepper, as those of all others. */
  install(name: string, options: Partial<PlatformOptions>): Promise<Neighbour>;
  /** `npm run restore`, as its user runs it. */
  restore(...args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }>;
  /** When all installations have stopped. */
  stop(): Promise<void>;
}

const NOTHING = { tables: [], queues: [], buckets: [], rules: [], eventSources: [], schedules: [] };

export async function startSharedCloud(): Promise<SharedCloud> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const simulator = await startSimulatorProcess(join(folder, 'whatsapp'));
  const whatsapp = new SimulatorAdmin(simulator.adminUrl);
  const keys = await new KmsStub().listen();
  const { env, prefix, close } = await openCloud();
  const clients = createClients(env);
  const prefixOf = (name: string) => `${prefix}-${name}`;
  return {
    simulator,
    whatsapp,
    clients,
    prefixOf,
    async install(name, { hostEnv, ...options }) {
      const dataDir = join(folder, name);
      await mkdir(dataDir, { recursive: true });
      await writeFile(join(dataDir, 'key-pepper'), 'the-pepper-of-them-all');
      const platform = await startPlatform({
        dataDir,
        aws: { ...env, RESOURCE_PREFIX: prefixOf(name) },
        whatsapp: { url: simulator.wsUrl, rootKey: simulator.rootKey, caFile: simulator.caFile },
        ...options,
        hostEnv: {
          PACING_DEFAULT_PROFILE: 'off',
          STATE_KEY_FILE: undefined,
          STATE_KMS_KEY_ID: 'alias/state',
          AWS_ENDPOINT_URL_KMS: keys.url,
          ...hostEnv,
        },
      });
      const api = new ApiClient(platform.url, platform.apiKey);
      return { platform, api, pair: (session) => pair(api, whatsapp, session) };
    },
    async restore(...args) {
      const program = runProgram('infra/restore/main.ts', args, env);
      const code = await program.exited;
      return { code, output: program.stdout + program.stderr };
    },
    async stop() {
      for (const client of Object.values(clients)) client.destroy();
      await simulator.stop();
      await Promise.all([close(), keys.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface OpenCloud {
  readonly env: CloudEnvironment;
  readonly prefix: string;
  close(): Promise<void>;
}

async function openCloud(): Promise<OpenCloud> {
  const outside = outsideTarget();
  if (outside !== undefined) return { ...outside, close: () => removeEverything(outside) };
  const cloud = await startLocalCloud({ resources: { ...NOTHING, bus: { name: 'unused' } }, functions: {} });
  return { env: cloud.env, prefix: 'trunkline', close: () => cloud.stop() };
}
