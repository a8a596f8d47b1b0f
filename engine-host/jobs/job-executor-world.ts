import PQueue from 'p-queue';
import { MemoryJobStore } from '#shared/adapters/memory/memory-job-store.ts';
import { MemoryMessageStore } from '#shared/adapters/memory/memory-message-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { commandSchema } from '#shared/contracts/commands.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { SessionStatus } from '#shared/contracts/session.ts';
import { type PacingRules, PROFILE_RULES } from '#shared/domain/pacing-profiles.ts';
import { createLogger } from '#shared/observability/logger.ts';
import { LogLines } from '#test/support/log-lines.ts';
import type { CommandHandlers, CommandOutcome, EngineEvent, JobContext } from '../engines/engine.ts';
import { MemorySessionState } from '../engines/memory-session-state.ts';
import { ManualLease } from '../host/manual-lease.ts';
import { jobRow, sessionRow } from '../sessions/row-fixtures.ts';
import { SentContents } from '../sessions/sent-contents.ts';
import { JobExecutor, type JobExecutorDeps, type JobSession } from './job-executor.ts';
import { SessionPacer } from './session-pacer.ts';

export const ME = { id: '4915112345678@c.us', pushName: null, lid: null, jid: null };
export const check = commandSchema.parse({ type: 'checkExists', phone: '4915112345678' });
export const pair = commandSchema.parse({ type: 'requestPairingCode', phone: '4915112345678' });

export const { command: sendText } = jobRow();
export const sendImage = commandSchema.parse({
  type: 'sendImage',
  chatId: '4915187654321@c.us',
  media: { kind: 'url', url: 'https://example.com/a.jpg' },
});

export interface Scene {
  readonly job?: Partial<JobRow>;
  readonly row?: Partial<SessionRow>;
  readonly status?: SessionStatus;
  readonly handlers?: CommandHandlers;
  readonly gone?: boolean;
  /** Without a runner. */
  readonly stopped?: boolean;
  readonly pacer?: JobSession['pacer'];
  /** What becomes of an event that is told. @default it is published at once */
  readonly publishing?: (published: () => void) => void;
}

export async function createScene({
  job,
  row,
  status = 'WORKING',
  handlers = {},
  gone,
  stopped,
  pacer,
  publishing = (published) => published(),
}: Scene) {
  const jobs = new MemoryJobStore();
  await jobs.create(jobRow(job));
  const lease = new ManualLease('socket-00', 3);
  const emitted: EngineEvent[] = [];
  const restricted: (readonly [string, string | undefined])[] = [];
  const log = new LogLines();
  const stopping = new AbortController();
  const session: JobSession = {
    status,
    me: ME,
    engine: { handlers, stopped: stopping.signal },
    sent: new SentContents('alpha', new MemoryMessageStore()),
    pacer,
    restricted: (code, traceparent) => restricted.push([code, traceparent]),
  };
  const deps: JobExecutorDeps = {
    lease,
    jobs,
    suspects: new PQueue({ concurrency: 1 }),
    clock: systemClock,
    logger: createLogger({ name: 'test', level: 'debug', destination: log }),
    onceWorking: () => () => {},
    tell: (_job, event, published) => {
      emitted.push(event);
      publishing(published);
    },
    find: async () => (gone ? undefined : { row: sessionRow(row), runner: stopped ? undefined : session }),
  };
  const executor = new JobExecutor(deps);
  const read = async () => {
    const now = await jobs.get('alpha', 'job-1');
    if (now === undefined) throw new Error('the job is gone');
    return now;
  };
  const run = async (tries = 1, parked = false) => executor.run(await read(), tries, parked);
  return { run, read, lease, jobs, emitted, restricted, session, log, stopEngine: () => stopping.abort() };
}

export const sends = (outcome: CommandOutcome | Error, seen: JobContext[] = []): CommandHandlers => ({
  sendText: async (_command, job) => {
    seen.push(job);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  },
});

/** A pacer with rules of the test's. */
export function createPacer(rules: Partial<PacingRules> = {}) {
  const reported: number[] = [];
  const state = new MemorySessionState();
  const pacer = new SessionPacer({
    state,
    clock: systemClock,
    random: () => 0.5,
    rules: () => ({ ...PROFILE_RULES.safe, typing: false, ...rules }),
    me: () => ME,
    createdAt: 0,
    nextSendAt: undefined,
    report: (at) => reported.push(at),
    braked: () => {},
  });
  return { pacer, reported, state };
}
