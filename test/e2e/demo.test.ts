import { describe, expect, it } from 'vitest';
import { runProgram } from '#test/support/program.ts';

const LONGEST_MS = 60_000;

describe('npm run demo', () => {
  it(
    'goes the whole way and shows each step with its milliseconds',
    async () => {
      const demo = runProgram('localstack/demo/main.ts', []);
      expect([await demo.exited, demo.stderr]).toEqual([0, '']);
      const lines = demo.stdout.split('\n').filter((line) => /^ ?\d+ {2}\S.* \d+ ms/.test(line));
      expect(lines.length).toBeGreaterThanOrEqual(12);
      expect(lines.map((line) => Number(line.slice(0, 2)))).toEqual(lines.map((_line, index) => index + 1));
      expect(demo.stdout).toMatch(/Everything arrived\.\s*$/);
    },
    LONGEST_MS,
  );

  it.each([2, 3, 7])(
    'ends well when the host is killed behind step %i',
    async (step) => {
      const demo = runProgram('localstack/demo/main.ts', ['--kill-after', String(step)]);
      expect([await demo.exited, demo.stderr]).toEqual([0, '']);
      expect(demo.stdout).toContain('the host was killed here');
      expect(demo.stdout).toMatch(/Everything arrived\.\s*$/);
    },
    LONGEST_MS,
  );

  it(
    'exits 1 and names the step that failed',
    async () => {
      // Where nothing can be written, the simulator does not start.
      const demo = runProgram('localstack/demo/main.ts', [], { TMPDIR: '/nowhere' });
      expect(await demo.exited).toBe(1);
      expect(demo.stderr).toMatch(/^\s*Failed at: \S+/);
    },
    LONGEST_MS,
  );
});
