import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type HostProcesses, type HostProcessesOptions, startHostProcesses } from './host-processes.ts';
import { startTaskMetadata } from './task-metadata.ts';
import { ManualClock } from './test-support/manual-clock.ts';
import { until } from './test-support/until.ts';

const PROGRAM = `
console.log('up as ' + process.env.HOST_ID + ' with ' + process.env.COLOUR);
const metadata = process.env.ECS_CONTAINER_METADATA_URI_V4;
if (metadata) fetch(metadata + '/task').then((answer) => answer.json()).then(({ TaskARN }) => console.log(TaskARN));
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

it('has as many as are wanted, the last ones are the first to go', async () => {
  const failures: string[] = [];
  const running = start({ count: 0, onUnexpectedExit: (id) => failures.push(id) });
  expect([running.wanted, running.pids().size]).toEqual([0, 0]);
  running.want(2);
  await lineCount(2);
  const first = running.pids().get('host-1');
  running.want(1);
  await until(() => (running.pids().size === 1 ? true : undefined));
  running.want(2);
  await lineCount(3);
  expect([...running.pids().keys()]).toEqual(['host-1', 'host-2']);
  expect(running.pids().get('host-1')).toBe(first);
  expect([running.wanted, failures]).toEqual([2, []]);
});

it('gives a host that is wanted again while it ends a new process then', async () => {
  const running = start();
  await lineCount(1);
  const pid = running.pids().get('host-1');
  running.want(0);
  running.want(1);
  expect(running.pids().get('host-1')).toBe(pid);
  await lineCount(2);
  expect(running.pids().get('host-1')).not.toBe(pid);
  expect(starts).toHaveLength(2);
});

it('starts none after its own end', async () => {
  const running = start();
  await lineCount(1);
  await running.stop();
  running.want(3);
  expect([running.pids().size, starts.length]).toEqual([0, 1]);
});

it('makes every process a task of its own, and tells of its end when nothing is left of it', async () => {
  const metadata = await startTaskMetadata();
  const stopped: string[] = [];
  const alive: boolean[] = [];
  const running = start({
    taskMetadata: metadata.url,
    onTaskStopped: (task) => {
      stopped.push(task);
      alive.push(isAlive(starts[stopped.length - 1]?.pid ?? process.pid));
    },
  });
  await lineCount(2);
  running.kill('host-1', 'SIGKILL');
  await lineCount(4);
  await running.restart('host-1');
  await lineCount(6);
  await running.stop();
  const tasks = lines.flatMap((line) => (line.includes('arn:') ? [line.replace('host-1 stdout ', '')] : []));
  expect(new Set(tasks).size).toBe(3);
  expect(stopped).toEqual(tasks);
  expect(alive).toEqual([false, false, false]);
  await metadata.close();
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
