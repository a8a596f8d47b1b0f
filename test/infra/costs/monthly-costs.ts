import { DEFAULT_TIMINGS } from '#engine-host/host/timings.ts';
import { LONG_POLL_SECONDS } from '#shared/adapters/sqs-shard-queue.ts';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import { hostsNeeded } from '#shared/domain/host-count.ts';
import { METRICS } from '#shared/observability/metrics.ts';
import type { Settings } from '../../../infra/config/settings.ts';
import { hostRow } from '../../contracts/rows.ts';

/** List prices in dollars, us-east-1. */
const PRICES = {
  vcpuHour: 0.03238,
  gibHour: 0.00356,
  addressHour: 0.005,
  write: 0.625e-6,
  read: 0.125e-6,
  fifoRequest: 0.5e-6,
  queueRequest: 0.4e-6,
  apiRequest: 3.5e-6,
  call: 0.2e-6,
  gibSecond: 0.0000133334,
  event: 1e-6,
  put: 5e-6,
  logGigabyte: 0.5,
  key: 1,
  secret: 0.4,
  alarmMetric: 0.1,
  metric: 0.3,
  insights: 9,
  firewall: 7,
  firewallRequest: 0.6e-6,
} as const;

/** What a session does in a day. */
export const SENDS_A_DAY = 50;
export const RECEIVED_A_DAY = 100;

const HOURS = 730;
const SECONDS = HOURS * 3600;
const DAYS = HOURS / 24;
/** Records that NOWEB appends: the ratchet of a send and of the three receipts that follow it; of a message and its ack. */
const RECORDS = { send: 4, received: 2 } as const;
/** A job's row and its indexes, as ADR 3 counts them. */
const JOB_WRITES = 8;
/** A send is told of as `message.any` and with three acks, a received message as `message` and `message.any`. */
const EVENTS = { send: 4, received: 2 } as const;
/** Rows of the event log: a received message's events come in one call. Packed, a row has less than a kilobyte. */
const LOGGED = { send: 4, received: 1 } as const;
/** Those that go into the read models. */
const PROJECTED = { send: 4, received: 1 } as const;
const READS = { send: 5, received: 2 } as const;
/** Metrics of a pool that the capacity function tells every minute. */
const COUNTED_BY_CAPACITY = 5;
/** `call`: what Lambda writes of each by itself (START, END, REPORT), with CloudWatch's 26 bytes for each line. */
const LOG_BYTES = { request: 2_000, message: 500, call: 400 } as const;
/** Lambda's pollers of a queue, at least, each of which asks for 20 seconds at a time. */
const POLLERS = { count: 5, seconds: 20 } as const;
/** Seconds that functions take. */
const TAKES = { authorizer: 0.02, request: 0.06, event: 0.03, wake: 0.01, schedule: 1 } as const;

/** What a template says that costs. */
export interface Deployed {
  readonly settings: Settings;
  readonly alarmMetrics: number;
  /** MiB of a function. */
  readonly memoryOf: (name: string) => number;
}

export interface MonthlyCosts {
  readonly sessions: number;
  readonly shards: number;
  readonly hosts: number;
  /** Dollars. */
  readonly lines: Readonly<Record<string, number>>;
}

/** @param shards see `infra/README.md`: more for more sessions */
export function monthlyCosts(deployed: Deployed, sessions: number, shards: number): MonthlyCosts {
  const { settings } = deployed;
  const hosts = hostsNeeded(sessions, {
    unitsPerHost: settings.sessionsPerHost,
    warmSpares: settings.warmSpares,
    minHosts: 0,
    maxHosts: Number.POSITIVE_INFINITY,
    scaleInAfterMs: 0,
  });
  const sends = sessions * SENDS_A_DAY * DAYS;
  const received = sessions * RECEIVED_A_DAY * DAYS;
  const calls = (name: string, count: number, seconds: number) =>
    count * (PRICES.call + (seconds * deployed.memoryOf(name) * PRICES.gibSecond) / 1024);
  const told = sends * EVENTS.send + received * EVENTS.received;
  const projected = sends * PROJECTED.send + received * PROJECTED.received;
  const lines = {
    'engine hosts': hosts * hostMonth(settings.hostCpu, settings.hostMemoryMiB),
    'who runs what': hosts * ownership(hosts, shards) + listings(sessions, shards),
    'idle queues': shards * (SECONDS / LONG_POLL_SECONDS) * PRICES.fifoRequest,
    'queues that Lambda polls': polling(),
    requests:
      sends * (PRICES.apiRequest + (settings.waf ? PRICES.firewallRequest : 0)) +
      calls('authorizer', sends, TAKES.authorizer) +
      calls('api-chatting', sends, TAKES.request),
    'jobs and messages in DynamoDB':
      (sends * (JOB_WRITES + projections('send')) + received * projections('received')) * PRICES.write +
      (sends * READS.send + received * READS.received) * PRICES.read,
    'session state': state(sessions, sends, received),
    'queues of jobs and events': sends * 3 * PRICES.fifoRequest + projected * 3 * PRICES.queueRequest,
    events: told * PRICES.event + calls('event-projector', projected, TAKES.event),
    'webhooks, who wants to know':
      told * (3 * PRICES.queueRequest + PRICES.read) + calls('webhook-fanout', told, TAKES.wake),
    'event log': (sends * LOGGED.send + received * LOGGED.received) * PRICES.write,
    // Before there is any: looking for streams of a session and of all, at each event.
    'event streams': told * (3 * PRICES.queueRequest + 2 * PRICES.read) + calls('stream-fanout', told, TAKES.event),
    'functions by schedule':
      calls('reconciler', SECONDS / 60, TAKES.schedule) +
      calls('capacity', SECONDS / 60, TAKES.schedule) +
      // A look at the dead letters of webhooks, in both queues.
      (SECONDS / 60) * (PRICES.queueRequest + PRICES.fifoRequest) +
      (SECONDS / 60) * shards * 0.5 * PRICES.read,
    logs:
      ((sends * LOG_BYTES.request +
        (sends + received) * LOG_BYTES.message +
        // The authorizer's and the API's, the two fan-outs', the projector's, and each minute two by schedule.
        (sends * 2 + told * 2 + projected + (SECONDS / 60) * 2) * LOG_BYTES.call) /
        1e9) *
      PRICES.logGigabyte,
    'keys, secrets, alarms, metrics, firewall':
      2 * PRICES.key +
      3 * PRICES.secret +
      deployed.alarmMetrics * PRICES.alarmMetric +
      Object.keys(METRICS).length * PRICES.metric +
      PRICES.insights +
      (settings.waf ? PRICES.firewall : 0),
  };
  return { sessions, shards, hosts, lines };
}

/** One host that runs all the time, with an address. */
export function hostMonth(cpu: number, memoryMiB: number): number {
  return HOURS * ((cpu / 1024) * PRICES.vcpuHour + (memoryMiB / 1024) * PRICES.gibHour + PRICES.addressHour);
}

/**
 * A pool of which no session runs: alarms, what the capacity function counts, and its looks at the shards that nobody runs.
 *
 * @param alarmMetrics that it adds
 */
export function idlePoolMonth(shards: number, alarmMetrics: number): number {
  const looks = (SECONDS / 60) * shards * 0.5 * PRICES.read;
  return alarmMetrics * PRICES.alarmMetric + COUNTED_BY_CAPACITY * PRICES.metric + looks;
}

/** Of one host: its heartbeats, and its looks at all hosts and shards. */
function ownership(hosts: number, shards: number): number {
  const shardRow = { shard: 'socket-0000', epoch: 10, owner: 'host-12345678', ownerIncarnation: INCARNATION };
  const row = hostRow({ incarnation: INCARNATION, task: TASK });
  const reads = [shards * bytes(shardRow), hosts * bytes(row)].map((all) => Math.ceil(all / 4096));
  const look = reads.reduce((sum, units) => sum + units, 0);
  return (
    (SECONDS / (DEFAULT_TIMINGS.heartbeat / 1000)) * PRICES.write +
    (SECONDS / (DEFAULT_TIMINGS.observe / 1000)) * look * PRICES.read
  );
}

/** Of the queues that feed functions, also when they are empty. */
function polling(): number {
  const { eventSources, queues } = resourceDefinition(1);
  return eventSources
    .map(({ queue }) => (queues.find(({ name }) => name === queue)?.fifo ? PRICES.fifoRequest : PRICES.queueRequest))
    .reduce((sum, price) => sum + POLLERS.count * (SECONDS / POLLERS.seconds) * price, 0);
}

/** Each shard's owner lists its sessions now and then; eventually consistent, so half a unit for 4 KB. */
function listings(sessions: number, shards: number): number {
  const units = Math.max(1, Math.ceil(((sessions / shards) * LISTED_BYTES) / 4096)) / 2;
  return shards * (SECONDS / (DEFAULT_TIMINGS.scan / 1000)) * units * PRICES.read;
}

/** Records are written and, after a checkpoint, deleted. A checkpoint is an object and the session's row with its indexes. */
function state(sessions: number, sends: number, received: number): number {
  const records = sends * RECORDS.send + received * RECORDS.received;
  const most = DAYS * 24 * (3_600_000 / DEFAULT_TIMINGS.checkpointInterval);
  const checkpoints = sessions * Math.min(most, (SENDS_A_DAY + RECEIVED_A_DAY) * DAYS);
  return records * 2 * PRICES.write + checkpoints * (PRICES.put + writesOf('trunkline-sessions') * PRICES.write);
}

/** Writes of the read models: the message with its indexes at each event, the chat once. */
function projections(what: 'send' | 'received'): number {
  return PROJECTED[what] * writesOf('trunkline-messages') + writesOf('trunkline-chats');
}

function writesOf(tableName: string): number {
  const table = resourceDefinition(1).tables.find(({ name }) => name === tableName);
  if (table === undefined) throw new Error(`The contracts have no table ${tableName}`);
  return 1 + (table.indexes ?? []).length;
}

const INCARNATION = '00000000-0000-4000-8000-000000000000';
const TASK = 'arn:aws:ecs:us-east-1:123456789012:task/trunkline-prod/0123456789abcdef0123456789abcdef';
/** Of a session's row in the index by shard. */
const LISTED_BYTES = 300;
const bytes = (row: object): number => Buffer.byteLength(JSON.stringify(row));
