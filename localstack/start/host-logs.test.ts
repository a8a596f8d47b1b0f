import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHostLogs } from './host-logs.ts';

const INFO = '{"level":"info","msg":"host started"}';
const WARN = '{"level":"warn","msg":"could not remove"}';

let folder: string;
let shown: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'host-logs-'));
  shown = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (longestBytes?: number) => openHostLogs(join(folder, 'logs'), (line) => shown.push(line), longestBytes);
const log = (host: string) => readFile(join(folder, 'logs', `${host}.log`), 'utf8');

describe('host logs', () => {
  it('keep everything, each host its own, and show what is a warning or no log line', async () => {
    const logs = open();
    logs.write('host-1', 'stdout', INFO);
    logs.write('host-1', 'stdout', WARN);
    logs.write('host-2', 'stderr', 'Error: out of memory');
    logs.write('host-2', 'stdout', 'not JSON');
    await logs.close();
    expect(await log('host-1')).toBe(`${INFO}\n${WARN}\n`);
    expect(await log('host-2')).toBe('Error: out of memory\nnot JSON\n');
    expect(shown).toEqual([`host-1: ${WARN}`, 'host-2: Error: out of memory', 'host-2: not JSON']);
  });

  it('go on where the last start ended, unless they have grown too long', async () => {
    for (const _start of [1, 2, 3]) {
      const logs = open(2 * INFO.length);
      logs.write('host-1', 'stdout', INFO);
      await logs.close();
    }
    expect(await log('host-1')).toBe(`${INFO}\n`);
    const logs = open(2 * INFO.length);
    logs.write('host-1', 'stdout', INFO);
    await logs.close();
    expect(await log('host-1')).toBe(`${INFO}\n${INFO}\n`);
  });

  it('that cannot be written say so and lose nobody else’s lines', async () => {
    const logs = open();
    await rm(join(folder, 'logs'), { recursive: true });
    logs.write('host-1', 'stdout', WARN);
    await logs.close();
    expect(shown).toEqual([`host-1: ${WARN}`, expect.stringContaining('cannot be written')]);
  });
});
