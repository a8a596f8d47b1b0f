import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type HostProcesses, type HostProcessesOptions, startHostProcesses } from './host-processes.ts';
import { ManualClock } from './test-support/manual-clock.ts';
import { until } from './test-support/until.ts';

const PROGRAM = `
console.log('up as ' + process.env.HOST_ID + ' with ' + process.env.COLOUR);
process.on('disconnect', () => { console.log('alone'); process.exit(0); });
process.on('SIGTERM', () => { if (process.env.STUBBORN === undefined) process.exit(0); });
setInterval(() => {}, 1000);
`;

let directory: string;
let hosts: HostProcesses | undefined;
let lines: string[];
let starts: { readonly id: string; readonly pid: number }[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hosts-'));
  lines = [];
  starts = [];
});
afterEach(async () => {
  await hosts?.stop();
  rmSync(directory, { recursive: true });
});

function start(options: Partial<HostProcessesOptions> = {}, source = PROGRAM): HostProcesses {
  const program = join(directory, 'host.mjs');
  writeFileSync(program, source);
  hosts = startHostProcesses({
    program,
    count: 1,
    env: { COLOUR: 'blue' },
    onLine: (id, stream, line) => lines.push(`${id} ${stream} ${line}`),
    onStart: (id, pid) => starts.push({ id, pid }),
    ...options,
  });
  return hosts;
}

const lineCount = (count: number) => until(() => (lines.length >= count ? lines : undefined));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('runs each host under its own id and hands on what it writes', async () => {
  const running = start({ count: 2 });
  await lineCount(2);
  expect(lines.toSorted()).toEqual(['host-1 stdout up as host-1 with blue', 'host-2 stdout up as host-2 with blue']);
  expect([...running.pids().keys()]).toEqual(['host-1', 'host-2']);
});

it('replaces a host that was killed', async () => {
  const running = start();
  await lineCount(1);
  expect(running.kill('host-1', 'SIGKILL')).toBe(true);
  await lineCount(2);
  expect(starts.map(({ id }) => id)).toEqual(['host-1', 'host-1']);
  expect(starts[0]?.pid).not.toBe(starts[1]?.pid);
});

it('waits longer after each failure, up to ten seconds', async () => {
  const clock = new ManualClock();
  const delays: number[] = [];
  start({ clock, onUnexpectedExit: (_id, _exit, delayMs) => delays.push(delayMs) }, 'process.exit(3);');
  for (let i = 1; i <= 9; i++) {
    await until(() => (delays.length === i ? true : undefined));
    clock.runNext();
  }
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

it('restarts a host gracefully, without counting it as a failure', async () => {
  const failures: string[] = [];
  const running = start({ onUnexpectedExit: (id) => failures.push(id) });
  await lineCount(1);
  await running.restart('host-1');
  await lineCount(2);
  expect(starts).toHaveLength(2);
  expect(failures).toEqual([]);
});

it('leaves a host down that was taken down, until it is brought up again', async () => {
  const clock = new ManualClock();
  const running = start({ clock });
  await lineCount(1);
  await running.takeDown('host-1', 'SIGKILL');
  expect(isAlive(starts[0]?.pid ?? 0)).toBe(false);
  expect(clock.delays()).toEqual([]);
  expect(running.pids().size).toBe(0);
  running.bringUp('host-1');
  running.bringUp('host-1');
  await lineCount(2);
  expect(starts).toHaveLength(2);
});

it('stops for good, with SIGKILL for one that does not listen', async () => {
  const clock = new ManualClock();
  const running = start({ clock, env: { STUBBORN: '1' } });
  await lineCount(1);
  const stopping = running.stop();
  expect(clock.delays()).toEqual([10_000]);
  expect(isAlive(starts[0]?.pid ?? 0)).toBe(true);
  clock.runNext();
  await stopping;
  expect(isAlive(starts[0]?.pid ?? 0)).toBe(false);
  expect(running.pids().size).toBe(0);
});

it('lets a host know that its launcher is gone', async () => {
  const launcher = join(directory, 'launcher.ts');
  writeFileSync(join(directory, 'host.mjs'), PROGRAM);
  writeFileSync(
    launcher,
    `import { startHostProcesses } from ${JSON.stringify(join(import.meta.dirname, 'host-processes.ts'))};
     startHostProcesses({ program: ${JSON.stringify(join(directory, 'host.mjs'))}, count: 1, env: {},
       onLine: (_id, _stream, line) => { if (line.startsWith('up')) console.log('up'); },
       onStart: (_id, pid) => console.log(pid) });`,
  );
  const child = spawn(process.execPath, [launcher], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  await until(() => (output.includes('up') ? true : undefined));
  const pid = Number(output.split('\n')[0]);
  expect(isAlive(pid)).toBe(true);
  child.kill('SIGKILL');
  await until(() => (isAlive(pid) ? undefined : true));
});
