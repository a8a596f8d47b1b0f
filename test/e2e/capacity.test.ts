import { afterEach, expect, it } from 'vitest';
import { until } from '#localstack/demo/until.ts';
import { readSession, send } from '#test/support/api-reads.ts';
import { type RunningPlatform, runPlatform, untilStatus } from '#test/support/running-platform.ts';
import { addContact } from '#test/support/simulated-contact.ts';
import { whyNot } from '#test/target/needs.ts';

const LONGEST_MS = 90_000;

let running: RunningPlatform | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

it(
  'hosts are none without sessions, come with the first, and go after the last',
  async () => {
    running = await runPlatform({ hosts: 'auto', functionEnv: { SCALE_IN_MINUTES: '0.05' } });
    const { api, platform } = running;
    const { hosts, cloud } = platform;
    await api.post('/api/sessions', { name: 'later', start: false });
    await cloud.functions.invoke('capacity', {});
    expect([hosts.wanted, hosts.pids().size]).toEqual([0, 0]);

    await running.pair('main');
    expect([hosts.wanted, hosts.pids().size]).toEqual([1, 1]);

    await api.raw('DELETE', '/api/sessions/main');
    await until('the end of the last host', async () => {
      await cloud.functions.invoke('capacity', {});
      return hosts.pids().size === 0 ? true : undefined;
    });
    expect(hosts.wanted).toBe(0);
  },
  LONGEST_MS,
);

it(
  'sessions from before get their host when the platform starts',
  async () => {
    running = await runPlatform({ hosts: 'auto' });
    await running.pair('main');
    running = await running.restart();
    await untilStatus(running.api, 'main', 'WORKING');
  },
  LONGEST_MS,
);

it(
  'the sessions of a host whose process has ended are taken over, at once where its end is told',
  async () => {
    const lines: string[] = [];
    running = await runPlatform({
      hosts: 2,
      shards: 4,
      hostEnv: { LOG_LEVEL: 'warn' },
      onHostLine: (_host, _stream, line) => lines.push(line),
    });
    const { api, platform, pair } = running;
    const ada = await addContact(running, 'Ada');
    const names = ['one', 'two', 'three', 'four'];
    for (const name of names) await pair(name);
    const hostOf = async (name: string) => (await readSession(api, name)).assignedWorker;
    const onHost = async (host: string) => {
      const owners = await Promise.all(names.map(hostOf));
      return names.filter((_, index) => owners[index] === host);
    };
    const lost = await until('sessions on both hosts', async () => {
      const moved = await onHost('host-2');
      return moved.length > 0 && moved.length < names.length ? moved : undefined;
    });

    expect(platform.hosts.kill('host-2', 'SIGKILL')).toBe(true);
    // Nobody comes back under its name.
    platform.hosts.want(1);
    await until('all sessions on host-1', async () =>
      (await onHost('host-1')).length === names.length ? true : undefined,
    );
    // By the end of its process, which the capacity function was told of, and by its silence only where it was not.
    const bySilence = lines.some((line) => line.includes('host declared dead'));
    expect(bySilence, whyNot('taskEvents')).toBe(whyNot('taskEvents') !== undefined);
    for (const session of lost) {
      const sent = await send(api, 'sendText', { session, chatId: ada.chatId, text: `From ${session}` });
      await ada.received(sent.bareId);
    }
  },
  LONGEST_MS,
);
