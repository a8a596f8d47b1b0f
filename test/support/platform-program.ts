import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient } from '#localstack/demo/api-client.ts';
import { SimulatorAdmin } from '#localstack/start/simulator-admin.ts';
import { type Program, runProgram } from './program.ts';

/** The platform and a simulated WhatsApp as their user starts them: a process of its own, with all that it writes. */
export interface PlatformProgram {
  readonly program: Program;
  readonly url: string;
  /** The administrator's. */
  readonly key: string;
  readonly api: ApiClient;
  readonly whatsapp: SimulatorAdmin;
  /** What functions, launcher and hosts have written, by where they did. */
  sinks(): Promise<ReadonlyMap<string, string>>;
}

/**
 * @param dataDir where it keeps its data
 * @param started called with the process before it is up, so that it can be ended whatever happens
 */
export async function startPlatformProgram(
  dataDir: string,
  env: Record<string, string>,
  started: (program: Program) => void,
): Promise<PlatformProgram> {
  const program = runProgram('localstack/start/main.ts', ['--simulator', '--port', '0', '--data', dataDir], env);
  started(program);
  const [, simulator = ''] = await program.prints(/curl --data-raw "\$QR" (http:\/\/127\.0\.0\.1:\d+)\/admin/);
  const [, url = ''] = await program.prints(/^ {2}API {2,}(http:\/\/127\.0\.0\.1:\d+)$/m);
  const [, key = ''] = await program.prints(/^ {2}API key {2,}(\S+)$/m);
  const [, logs = ''] = await program.prints(/^ {2}logs {2,}(\S+)$/m);
  return {
    program,
    url,
    key,
    api: new ApiClient(url, key),
    whatsapp: new SimulatorAdmin(simulator),
    sinks: async () => {
      const files = await readdir(logs);
      const read = files.map(async (file) => [file, await readFile(join(logs, file), 'utf8')] as const);
      return new Map([...(await Promise.all(read)), ['stdout', program.stdout], ['stderr', program.stderr]]);
    },
  };
}
