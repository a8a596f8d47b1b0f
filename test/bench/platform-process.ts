import * as z from 'zod';
import { startPlatform } from '#localstack/start/platform.ts';
import { AwsCallCounter } from './aws-call-counter.ts';
import { type PlatformRequest, requestSchema } from './platform-messages.ts';

/** The platform in a process of its own, so that its CPU time is nobody else's. It ends when its parent lets go of it. */
const options = z
  .object({
    dataDir: z.string(),
    whatsappUrl: z.string(),
    caFile: z.string(),
    hostEnv: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(process.argv[2] ?? '{}'));
const HOST = 'host-1';
const calls = new AwsCallCounter();

const platform = await startPlatform({
  dataDir: options.dataDir,
  whatsapp: { url: options.whatsappUrl, caFile: options.caFile },
  hostEnv: options.hostEnv,
  onHostLine: (_host, stream, line) => {
    if (stream === 'stderr') process.stderr.write(`${line}\n`);
  },
  onError: (where, error) => process.stderr.write(`${where}: ${String(error)}\n`),
});

async function answer(request: PlatformRequest): Promise<object> {
  if (request === 'restart-host') await platform.hosts.restart(HOST);
  if (request === 'kill-host') platform.hosts.kill(HOST, 'SIGKILL');
  if (request !== 'usage') return { type: 'restarted' };
  return { type: 'usage', hostPids: [...platform.hosts.pids().values()], calls: calls.counts() };
}

process.on('message', (message) => {
  void answer(requestSchema.parse(message)).then((reply) => process.send?.(reply));
});
process.on('disconnect', () => {
  void platform.stop().then(() => process.exit(0));
});
process.send?.({ type: 'started', url: platform.url, apiKey: platform.apiKey, env: platform.cloud.env });
