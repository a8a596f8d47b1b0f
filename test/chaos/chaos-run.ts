import { setTimeout as delay } from 'node:timers/promises';
import { ChaosActor } from './chaos-actor.ts';
import { type ChaosKind, planChaos, usualCounts } from './chaos-plan.ts';
import { ChaosWorld } from './chaos-world.ts';
import { Fleet } from './fleet.ts';
import { type Evidence, faultsOf, judge, type Verdict } from './judge.ts';
import type { KillPoint } from './kill-points.ts';
import { Ledger, outstanding } from './ledger.ts';
import { Observers } from './observers.ts';
import { Traffic } from './traffic.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly kills: number;
  readonly hosts: number;
  readonly sessions: number;
  readonly kinds: ReadonlySet<ChaosKind>;
  /** Messages per second in each direction. */
  readonly perSecond: number;
  /** How long to wait at the end for what is still on its way. */
  readonly settleSeconds: number;
  /** Every kill is to be at one of these points. @default half of them at any point, half wherever the host is */
  readonly killAt?: readonly KillPoint[];
  /** Holds back every call of the hosts to DynamoDB by so many milliseconds. */
  readonly slowDynamoDbMs?: number;
  /** More environment for the hosts. */
  readonly hostEnv?: Readonly<Record<string, string>>;
  readonly onHostLine?: (host: string, stream: 'stdout' | 'stderr', line: string) => void;
  readonly say: (line: string) => void;
}

/** Kills at named points. */
export interface KillPointCount {
  readonly reached: number;
  readonly at: PointTally;
  /** Kills that were to be at a point which was not reached; a host was killed where it was. */
  readonly missed: PointTally;
}

type PointTally = Readonly<Partial<Record<KillPoint, number>>>;

export interface ChaosResult {
  readonly verdict: Verdict;
  /** Names of the figures that should be 0 and are not. */
  readonly faults: readonly string[];
  readonly evidence: Evidence;
  /** How often each kind of chaos has happened. */
  readonly done: Readonly<Record<ChaosKind, number>>;
  readonly killPoints: KillPointCount;
  readonly refused: number;
  readonly ledger: Ledger;
  /** Answers of the API about the jobs of lost sends. */
  readonly lostJobs: readonly unknown[];
}

const REPORT_MS = 10_000;
const LOOK_MS = 1_000;
/** A queue message of a host that died comes again after its visibility timeout of 15 s, one of a session after the other. */
const PATIENCE_MS = 60_000;
const RECOVERY_MS = 120_000;
const PAIRINGS_AT_ONCE = 4;
const SHOWN_JOBS = 10;

/** One run: pair, talk, break things, calm down, count. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, seconds, say } = options;
  const ledger = new Ledger(options.hosts);
  let actor: ChaosActor | undefined;
  const world = await ChaosWorld.start({
    ...options,
    proxied: options.kinds.has('aws'),
    onExit: (host, { code, signal }) => {
      actor?.killer.ended(host, signal);
      if (code === null || code === 0) return;
      ledger.crashes += 1;
      say(`${host} ended by itself with code ${code}`);
    },
  });
  try {
    const sessions = await pairAll(world, options.sessions);
    say(`${sessions.length} sessions are paired`);
    const traffic = new Traffic({
      api: world.api,
      whatsapp: world.whatsapp,
      ledger,
      sessions,
      seed,
      perSecond: options.perSecond,
      contacts: Math.max(6, sessions.length),
      groupSessions: Math.max(1, Math.floor(sessions.length / 6)),
    });
    await traffic.prepare();
    const observers = new Observers({
      cloud: world.platform.cloud,
      whatsapp: world.whatsapp,
      ledger,
      contacts: () => traffic.phones,
      sessions: new Map(sessions.map(({ name, phone }) => [phone, name])),
    });
    await observers.start();
    traffic.start();
    const acting = new ChaosActor({
      hosts: world.platform.hosts,
      control: world.control,
      fleet: new Fleet(world.platform.cloud),
      whatsapp: world.whatsapp,
      proxies: world.proxies,
      phones: sessions.map(({ phone }) => phone),
      droppable: traffic.outsideGroup.map(({ phone }) => phone),
      ledger,
      say,
    });
    actor = acting;
    const progress = setInterval(() => say(progressLine(ledger, acting.done)), REPORT_MS);
    try {
      const counts = usualCounts(seconds, options.kills, options.kinds);
      const { killAt } = options;
      await acting.run(planChaos({ seed, seconds, counts, ...(killAt !== undefined && { killAt }) }), seconds);
      await traffic.stop();
      say(`calm again, waiting for the rest: ${progressLine(ledger, acting.done)}`);
      const stuck = await world.untilWorking(sessions, RECOVERY_MS);
      if (stuck.length > 0) say(`not WORKING: ${stuck.join(', ')}`);
      await settle(observers, ledger, options.settleSeconds * 1000);
    } finally {
      clearInterval(progress);
      await traffic.stop();
      await observers.stop();
    }
    const { verdict, evidence } = judge(ledger);
    const lost = outstanding(ledger).out.slice(0, SHOWN_JOBS);
    const lostJobs = await Promise.all(
      lost.map(({ session, jobId }) => world.api.call('GET', `/api/${session}/jobs/${jobId}`).catch(String)),
    );
    return {
      verdict,
      faults: faultsOf(verdict),
      evidence,
      done: acting.done,
      killPoints: pointCount(acting),
      refused: ledger.refused,
      ledger,
      lostJobs,
    };
  } finally {
    await world.stop();
  }
}

function pointCount({ killer }: ChaosActor): KillPointCount {
  return { reached: killer.reached.length, at: tally(killer.reached), missed: tally(killer.missed) };
}

function tally(points: readonly KillPoint[]): PointTally {
  const groups = Map.groupBy([...points].sort(), (point) => point);
  return Object.fromEntries([...groups].map(([point, { length }]) => [point, length]));
}

async function pairAll(world: ChaosWorld, count: number) {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const sessions: Awaited<ReturnType<ChaosWorld['pair']>>[] = [];
  const worker = async () => {
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
      sessions.push(await world.pair(number));
    }
  };
  await Promise.all(Array.from({ length: PAIRINGS_AT_ONCE }, worker));
  return sessions.sort((a, b) => a.phone.localeCompare(b.phone));
}

/** Waits until nothing is missing, nothing has come for a long time, or the deadline. */
async function settle(observers: Observers, ledger: Ledger, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let missing = Number.POSITIVE_INFINITY;
  let changedAt = performance.now();
  for (;;) {
    await observers.catchUp();
    const open = outstanding(ledger);
    const now = performance.now();
    const left = open.out.length + open.in.length + open.untaken.length;
    if (left !== missing) changedAt = now;
    missing = left;
    if (missing === 0 || now > deadline || now - changedAt > PATIENCE_MS) break;
    await delay(LOOK_MS);
  }
  // What comes twice comes a little later.
  await delay(2 * LOOK_MS);
  await observers.catchUp();
}

function progressLine(ledger: Ledger, done: Readonly<Record<ChaosKind, number>>): string {
  const open = outstanding(ledger);
  const chaos = Object.entries(done).map(([kind, count]) => `${kind} ${count}`);
  const out = `out ${ledger.accepted.length} (${open.out.length} missing)`;
  const inward = `in ${ledger.sentIn.length} (${open.untaken.length} not taken, ${open.in.length} without event)`;
  return `${out}, ${inward}, refused ${ledger.refused}; ${chaos.join(', ')}`;
}
