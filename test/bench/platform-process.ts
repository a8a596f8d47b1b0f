import { startPlatform } from '#localstack/start/platform.ts';
import { AwsCallCounter } from './aws-call-counter.ts';
import { type PlatformRequest, platformSettingsSchema, requestSchema } from './platform-messages.ts';

/** The platform in a process of its own, so that its CPU time is nobody else's. It ends when its parent lets go of it. */
const settings = platformSettingsSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
const DRAIN_DEADLINE_MS = 120_000;
const calls = new AwsCallCounter();

const platform = await startPlatform({
  dataDir: settings.dataDir,
  whatsapp: { url: settings.whatsappUrl, rootKey: settings.rootKey, caFile: settings.caFile },
  hosts: settings.hosts,
  hostEnv: settings.hostEnv,
  stopDeadlineMs: DRAIN_DEADLINE_MS,
  onHostLine: (_host, stream, line) => {
    if (stream === 'stderr') process.stderr.write(`${line}\n`);
  },
  onError: (where, error) => process.stderr.write(`${where}: ${String(error)}\n`),
});

async function answer(request: PlatformRequest): Promise<object> {
  const { hosts } = platform;
  switch (request.do) {
    case 'usage':
      return { type: 'usage', hostPids: [...hosts.pids().values()], calls: calls.counts() };
    case 'restart-host':
      await hosts.restart(request.host);
      return { type: 'restarted' };
    case 'take-down': {
      const signalledAt = Date.now();
      await hosts.takeDown(request.host, request.signal);
      return { type: 'down', signalledAt, endedAt: Date.now() };
    }
    case 'bring-up': {
      const startedAt = Date.now();
      hosts.bringUp(request.host);
      return { type: 'up', startedAt };
    }
  }
}

process.on('message', (message) => {
  void answer(requestSchema.parse(message)).then((reply) => process.send?.(reply));
});
process.on('disconnect', () => {
  void platform.stop().then(() => process.exit(0));
});
process.send?.({ type: 'started', url: platform.url, apiKey: platform.apiKey, env: platform.cloud.env });
