import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { CHAOS_KINDS } from './chaos-plan.ts';
import { runChaos } from './chaos-run.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    hosts: { type: 'string', default: '3' },
    sessions: { type: 'string', default: '30' },
    seed: { type: 'string' },
    seconds: { type: 'string' },
    /** Kinds of chaos, separated by commas. */
    kinds: { type: 'string', default: CHAOS_KINDS.join(',') },
    /** Messages per second in each direction. */
    rate: { type: 'string', default: '22' },
    settle: { type: 'string', default: '240' },
    /** File for the ids behind the figures. */
    report: { type: 'string' },
    'host-log': { type: 'string' },
    'kill-at': { type: 'string' },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6));
const seconds = Number(values.seconds ?? Math.max(60, kills * 3));
const wanted = values.kinds.split(',');
const hostLog = values['host-log'] === undefined ? undefined : createWriteStream(values['host-log']);
const started = performance.now();
const say = (line: string) => process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0)} s  ${line}\n`);

const result = await runChaos({
  seed,
  seconds,
  kills,
  hosts: Number(values.hosts),
  sessions: Number(values.sessions),
  kinds: new Set(CHAOS_KINDS.filter((kind) => wanted.includes(kind))),
  perSecond: Number(values.rate),
  settleSeconds: Number(values.settle),
  // Where a host is to end itself, for builds that know such points.
  ...(values['kill-at'] === undefined ? {} : { hostEnv: { CHAOS_KILL_AT: values['kill-at'] } }),
  onHostLine: (host, stream, line) => {
    hostLog?.write(`${new Date().toISOString()} ${host} ${line}\n`);
    if (stream === 'stderr') say(`${host}: ${line}`);
  },
  say,
});

const { verdict, faults, evidence, done, refused, lostJobs } = result;
const report = JSON.stringify({ faults, evidence, lostJobs, hostFaults: result.ledger.hostFaults }, undefined, 2);
if (values.report !== undefined) await writeFile(values.report, report);
else if (faults.length > 0) process.stderr.write(`${report}\n`);
process.stdout.write(`${JSON.stringify({ ...verdict, kills: done, refused, seed, seconds, faults })}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
hostLog?.end();
