import { mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ConfigError } from './config-error.ts';
import { openPulseFile } from './pulse-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pulse-'));
});
const unexpected = (error: unknown) => {
  throw error;
};
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('is there from the beginning, and new after each beat', async () => {
  const path = join(folder, 'pulse');
  const beat = await openPulseFile(path, unexpected);
  const old = new Date(1_000_000);
  utimesSync(path, old, old);
  beat();
  await vi.waitFor(() => expect(statSync(path).mtime.getTime()).toBeGreaterThan(old.getTime()));
});

it('names its variable where it cannot be written', async () => {
  const opening = openPulseFile(join(folder, 'missing', 'pulse'), unexpected);
  await expect(opening).rejects.toThrow(ConfigError);
  await expect(opening).rejects.toThrow(/^PULSE_FILE: /);
});

it('tells when it cannot be written any more', async () => {
  const errors: unknown[] = [];
  const beat = await openPulseFile(join(folder, 'pulse'), (error) => errors.push(error));
  rmSync(folder, { recursive: true });
  beat();
  await vi.waitFor(() => expect(errors).toHaveLength(1));
});
