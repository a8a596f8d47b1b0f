import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { CHAOS_KINDS } from './chaos-plan.ts';
import { runChaos } from './chaos-run.ts';
import { faultNamed } from './judge.ts';
import { killPointsNamed } from './kill-points.ts';
import { runWebhookChaos } from './webhooks/webhook-run.ts';

const { values } = parseArgs({
  options: {
    /** The chaos of webhooks instead of that of hosts; further down what is its own. */
    webhooks: { type: 'boolean', default: false },
    live: { type: 'string', default: '15' },
    calm: { type: 'string', default: '60' },
    down: { type: 'string', default: '300' },
    kills: { type: 'string' },
    hosts: { type: 'string', default: '3' },
    sessions: { type: 'string', default: '30' },
    seed: { type: 'string' },
    seconds: { type: 'string' },
    /** Kinds of chaos, separated by commas. */
    kinds: { type: 'string', default: CHAOS_KINDS.join(',') },
    /** Messages per second in each direction. */
    rate: { type: 'string' },
    /** Sessions in the group, and the part of its members' messages that goes there. */
    'group-sessions': { type: 'string' },
    'group-share': { type: 'string' },
    settle: { type: 'string', default: '900' },
    /** File for the ids behind the figures. */
    report: { type: 'string' },
    /** File for the hosts' logs. */
    'host-log': { type: 'string' },
    'host-log-level': { type: 'string', default: 'info' },
    /** A call, or CALL:MOMENT, see `kill-points.ts`. */
    'kill-at': { type: 'string' },
    /** `off`: nothing waits for the journal. A run like that has to show faults. */
    gate: { type: 'string', default: 'durable' },
    /** Milliseconds that everything appended to a journal is held back. */
    'slow-journal': { type: 'string', default: '0' },
    /** Figures, separated by commas, that must not be 0: the run is a control, and good when it shows all of them. */
    'expect-faults': { type: 'string' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6));
const started = performance.now();
const say = (line: string) => process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0)} s  ${line}\n`);

// The functions run in this process, and its output is one line.
process.env.LOG_LEVEL = 'silent';

if (values.webhooks) await webhookChaos();
else await hostChaos();

async function webhookChaos(): Promise<void> {
  const result = await runWebhookChaos({
    seed,
    live: Number(values.live),
    calmSeconds: Number(values.calm),
    chaosSeconds: Number(values.seconds ?? 120),
    downSeconds: Number(values.down),
    kills: Number(values.kills ?? 3),
    perSecond: Number(values.rate ?? 4),
    contacts: 6,
    settleSeconds: Number(values.settle),
    say,
  });
  process.stdout.write(`${JSON.stringify({ ...result, seed })}\n`);
  const isGood = Object.values(result.faults).every((count) => count === 0) && result.latency.ratio < 2;
  process.exitCode = isGood ? 0 : 1;
}

async function hostChaos(): Promise<void> {
  const kills = Number(values.kills ?? 200);
  const seconds = Number(values.seconds ?? Math.max(60, kills * 2));
  const wanted = values.kinds.split(',');
  const expected = values['expect-faults']?.split(',').map(faultNamed);
  const killAt = values['kill-at'] === undefined ? undefined : killPointsNamed(values['kill-at']);
  const hostLog = values['host-log'] === undefined ? undefined : createWriteStream(values['host-log']);

  const result = await runChaos({
    seed,
    seconds,
    kills,
    hosts: Number(values.hosts),
    sessions: Number(values.sessions),
    kinds: new Set(CHAOS_KINDS.filter((kind) => wanted.includes(kind))),
    perSecond: Number(values.rate ?? 8),
    ...(values['group-sessions'] !== undefined && { groupSessions: Number(values['group-sessions']) }),
    ...(values['group-share'] !== undefined && { groupShare: Number(values['group-share']) }),
    settleSeconds: Number(values.settle),
    hostEnv: {
      LOG_LEVEL: hostLog === undefined ? 'silent' : values['host-log-level'],
      NOWEB_GATE: values.gate,
    },
    slowJournalMs: Number(values['slow-journal']),
    ...(killAt !== undefined && { killAt }),
    onHostLine: (host, stream, line) => {
      hostLog?.write(`${new Date().toISOString()} ${host} ${line}\n`);
      if (stream === 'stderr') say(`${host}: ${line}`);
    },
    say,
  });

  const { verdict, faults, evidence, done, killPoints, refused, lostJobs } = result;
  const report = JSON.stringify({ faults, evidence, lostJobs, hostFaults: result.ledger.hostFaults }, undefined, 2);
  if (values.report !== undefined) await writeFile(values.report, report);
  else if (faults.length > 0) process.stderr.write(`${report}\n`);
  process.stdout.write(`${JSON.stringify({ ...verdict, chaos: done, killPoints, refused, seed, seconds, faults })}\n`);
  const isGood = expected === undefined ? faults.length === 0 : expected.every((name) => faults.includes(name));
  process.exitCode = isGood ? 0 : 1;
  hostLog?.end();
}
