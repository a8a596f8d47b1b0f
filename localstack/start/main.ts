import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataInUseError, lockDataDir } from './data-lock.ts';
import { FlagError, parseFlags, type StartFlags } from './flags.ts';
import { openHostLogs } from './host-logs.ts';
import { type Platform, startPlatform, type WhatsappServer } from './platform.ts';
import { isReachable } from './reachability.ts';
import { startSimulatorProcess } from './simulator-process.ts';
import { showQrCodes } from './terminal-qr.ts';

const WHATSAPP = process.env.WHATSAPP_WS_URL ?? 'wss://web.whatsapp.com/ws/chat';
const NO_INTERNET = `WhatsApp cannot be reached at ${URL.parse(WHATSAPP)?.host ?? WHATSAPP}.

Without internet you can
  npm start -- --simulator    run the platform against the WhatsApp simulator
  npm run demo                see the whole way in a few seconds
`;

/** The person whom the examples write to. */
const CONTACT = '{"name": "Ada", "phone": "4915112345678"}';

/** Hosts have this long to end what runs and to save their sessions, and are killed somewhat later. */
const HOST_DRAIN_MS = 25_000;
const STOP_DEADLINE_MS = 30_000;

const cleanUp: (() => Promise<void>)[] = [];
let stopping: Promise<void> | undefined;

async function main(flags: StartFlags): Promise<void> {
  await prepareDataDir(flags.dataDir);
  cleanUp.push(await lockDataDir(flags.dataDir));
  const whatsapp = await findWhatsapp(flags);
  if (whatsapp === undefined) {
    process.stderr.write(NO_INTERNET);
    process.exitCode = 1;
    return;
  }
  const logs = openHostLogs(logsDir(flags), (line) => process.stderr.write(`${line}\n`));
  cleanUp.push(() => logs.close());
  const platform = await startPlatform({
    dataDir: flags.dataDir,
    port: flags.port,
    hosts: flags.hosts,
    whatsapp,
    hostEnv: hostEnvironment(),
    stopDeadlineMs: STOP_DEADLINE_MS,
    onHostLine: logs.write,
    onHostExit: (host, { code, signal }, delayMs) => {
      process.stderr.write(`${host} ended (${signal ?? `exit code ${code}`}); it is started again in ${delayMs} ms\n`);
    },
    onError: (where, error) => {
      process.stderr.write(`${where}: ${error instanceof Error ? error.message : String(error)}\n`);
    },
  });
  cleanUp.push(() => platform.stop());
  printAddresses(platform, flags, whatsapp.url);
  await showQrCodes(platform, () => stopping === undefined);
}

/** @throws FlagError when nothing can be kept there */
async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new FlagError(`--data: ${dataDir} is not a directory that can be written${code}`);
  }
}

function hostEnvironment(): Record<string, string> {
  const { PACING_DEFAULT_PROFILE: profile, MEDIA_ALLOW_PRIVATE_HOSTS = '', LOG_LEVEL = 'info' } = process.env;
  return {
    LOG_LEVEL,
    MEDIA_ALLOW_PRIVATE_HOSTS,
    DRAIN_MS: String(HOST_DRAIN_MS),
    ...(profile === undefined ? {} : { PACING_DEFAULT_PROFILE: profile }),
  };
}

const logsDir = ({ dataDir }: StartFlags) => join(dataDir, 'logs');

/** The real WhatsApp, or a simulator of our own; undefined where neither is to be had. */
async function findWhatsapp(flags: StartFlags): Promise<WhatsappServer | undefined> {
  if (!flags.simulator) {
    const { WHATSAPP_ROOT_KEY: rootKey } = process.env;
    return (await isReachable(WHATSAPP, 5_000)) ? { url: WHATSAPP, rootKey } : undefined;
  }
  const simulator = await startSimulatorProcess(join(flags.dataDir, 'simulator'));
  cleanUp.push(() => simulator.stop());
  process.stdout.write(`\nWhatsApp simulator  ${simulator.wsUrl}\n`);
  process.stdout.write(`  scan a QR code    curl --data-raw "$QR" ${simulator.adminUrl}/admin/mock-phone/scan-qr\n`);
  process.stdout.write(`  add a contact     curl --data-raw '${CONTACT}' ${simulator.adminUrl}/admin/contacts\n`);
  return { url: simulator.wsUrl, rootKey: simulator.rootKey, caFile: simulator.caFile };
}

function printAddresses(platform: Platform, flags: StartFlags, whatsappUrl: string): void {
  process.stdout.write(`
Trunkline is up
  API               ${platform.url}
  documentation     ${platform.url}/
  API key           ${platform.apiKey}
  data              ${flags.dataDir}
  logs              ${logsDir(flags)}
  WhatsApp          ${whatsappUrl}

Create a session and its QR code shows up here:
  curl -X POST ${platform.url}/api/sessions -H "X-Api-Key: ${platform.apiKey}" -H 'Content-Type: application/json' -d '{"name": "default"}'

`);
}

function stop(): void {
  if (stopping !== undefined) return;
  process.stdout.write('\nStopping: sessions are being saved.\n');
  stopping = (async () => {
    for (const end of cleanUp.reverse()) await end();
  })();
  void stopping.then(() => process.exit());
}

process.on('SIGINT', stop);
process.on('SIGTERM', stop);

try {
  await main(parseFlags(process.argv.slice(2)));
} catch (error) {
  for (const end of cleanUp.reverse()) await end();
  if (error instanceof FlagError || error instanceof DataInUseError) process.stderr.write(`${error.message}\n`);
  else if (isPortInUse(error)) process.stderr.write('The port is in use. Choose another with --port N.\n');
  else throw error;
  process.exit(1);
}

function isPortInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
