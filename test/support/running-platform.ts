import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '#localstack/demo/api-client.ts';
import { until } from '#localstack/demo/until.ts';
import { type Platform, type PlatformOptions, startPlatform } from '#localstack/start/platform.ts';
import { SimulatorAdmin } from '#localstack/start/simulator-admin.ts';
import { type SimulatorProcess, startSimulatorProcess } from '#localstack/start/simulator-process.ts';
import { removeEverything } from '#test/target/removal.ts';
import { outsideTarget } from '#test/target/target.ts';

/** The platform on this run's target, with a simulated WhatsApp behind it, in a folder of its own. */
export interface RunningPlatform {
  readonly platform: Platform;
  readonly simulator: SimulatorProcess;
  readonly api: ApiClient;
  readonly whatsapp: SimulatorAdmin;
  /** Creates a session, scans its QR code and waits until it is WORKING; resolves to its phone number. */
  pair(session: string): Promise<string>;
  /** Stops the platform (not WhatsApp) and starts it again on the same data. */
  restart(): Promise<RunningPlatform>;
  stop(): Promise<void>;
}

export async function runPlatform(options: Partial<PlatformOptions> = {}): Promise<RunningPlatform> {
  const outside = outsideTarget();
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const simulator = await startSimulatorProcess(join(folder, 'whatsapp'));
  const start = async (): Promise<RunningPlatform> => {
    const hostErrors: string[] = [];
    const platform = await startPlatform({
      dataDir: join(folder, 'platform'),
      ...(outside === undefined ? {} : { aws: outside.env }),
      whatsapp: { url: simulator.wsUrl, rootKey: simulator.rootKey, caFile: simulator.caFile },
      onHostLine: (_host, stream, line) => {
        if (stream === 'stderr') hostErrors.push(line);
      },
      ...options,
      // Tests ask what becomes of sends, not when they may leave; those of pacing turn it on.
      hostEnv: { PACING_DEFAULT_PROFILE: 'off', ...options.hostEnv },
    });
    const api = new ApiClient(platform.url, platform.apiKey);
    const whatsapp = new SimulatorAdmin(simulator.adminUrl);
    return {
      platform,
      simulator,
      api,
      whatsapp,
      pair: (session) => pair(api, whatsapp, session),
      restart: async () => {
        await platform.stop();
        return await start();
      },
      stop: async () => {
        await platform.stop();
        await simulator.stop();
        await rm(folder, { recursive: true, force: true });
        if (outside !== undefined) await removeEverything(outside);
        if (hostErrors.length > 0) throw new Error(`A host wrote to stderr: ${hostErrors.slice(0, 5).join('\n')}`);
      },
    };
  };
  return await start();
}

async function pair(api: ApiClient, whatsapp: SimulatorAdmin, session: string): Promise<string> {
  await api.post('/api/sessions', { name: session });
  const { value } = await until('a QR code', async () => {
    const response = await api.raw('GET', `/api/${session}/auth/qr?format=raw`).catch(() => undefined);
    // The contract's shape; a wrong one fails in `scan`.
    return response === undefined ? undefined : ((await response.json()) as { value: string });
  });
  const { phone } = await whatsapp.scan(value);
  await untilStatus(api, session, 'WORKING');
  return phone;
}

export async function untilStatus(api: ApiClient, session: string, status: string): Promise<void> {
  await until(`${session} ${status}`, async () => {
    const info = (await api.get(`/api/sessions/${session}`)) as { status: string };
    return info.status === status ? true : undefined;
  });
}
