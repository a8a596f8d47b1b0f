import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import * as z from 'zod';

/** One call of the AWS CLI: `events put-rule`, and its options without their dashes. */
export interface CliCall {
  readonly operation: string;
  readonly options: Readonly<Record<string, string>>;
}

/** Stands for the AWS CLI: notes what it is called with, and says what it is told to. */
const CLI = `#!${process.execPath}
const { appendFileSync } = require('node:fs');
const [service, command, ...rest] = process.argv.slice(2);
const operation = service + ' ' + command;
const options = {};
for (let at = 0; at < rest.length; at += 2) {
  if (!rest[at].startsWith('--') || rest[at + 1] === undefined) throw new Error('not an option with a value: ' + rest[at]);
  options[rest[at].slice(2)] = rest[at + 1];
}
appendFileSync(process.env.CALLS, JSON.stringify({ operation, options }) + '\\n');
const answer = JSON.parse(process.env.ANSWERS)[operation];
if (answer !== undefined) console.log(answer.replace('*', options.name));
`;
export const hasJq = spawnSync('jq', ['--version']).status === 0;
const callSchema = z.object({ operation: z.string(), options: z.record(z.string(), z.string()) });

/**
 * Runs commands in Bash, up to the first that fails, with a stand-in for the AWS CLI. Where `jq` is missing, what it
 * would make is `{}`.
 *
 * @param answers what the CLI prints, by operation; a star is the option `--name`
 * @throws Error with what Bash said
 */
export function runWithCli(
  commands: string,
  answers: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
): readonly CliCall[] {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-commands-'));
  try {
    const calls = join(folder, 'calls');
    writeFileSync(calls, '');
    writeFileSync(join(folder, 'aws'), CLI);
    chmodSync(join(folder, 'aws'), 0o755);
    if (!hasJq) {
      writeFileSync(join(folder, 'jq'), "#!/bin/sh\necho '{}'\n");
      chmodSync(join(folder, 'jq'), 0o755);
    }
    const { status, stderr } = spawnSync('bash', ['-eu', '-o', 'pipefail', '-c', commands], {
      encoding: 'utf8',
      env: { PATH: `${folder}${delimiter}${process.env.PATH}`, CALLS: calls, ANSWERS: JSON.stringify(answers), ...env },
    });
    if (status !== 0) throw new Error(`The commands ended with ${status}: ${stderr}`);
    const lines = readFileSync(calls, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => callSchema.parse(JSON.parse(line)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
