import { WebSocket } from 'ws';
import { DynamoDbEventLog } from '#shared/adapters/dynamodb-event-log.ts';
import { DynamoDbJobStore } from '#shared/adapters/dynamodb-job-store.ts';
import { DynamoDbJournalStore } from '#shared/adapters/dynamodb-journal-store.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { EventBridgeEventBus } from '#shared/adapters/event-bridge-event-bus.ts';
import { S3CheckpointStore } from '#shared/adapters/s3-checkpoint-store.ts';
import { SqsShardQueue } from '#shared/adapters/sqs-shard-queue.ts';
import { KILL_CALLS, type KillCall } from './kill-points.ts';

type Method = (...args: readonly unknown[]) => unknown;

/** Where in the product a call is made. */
export interface CallSite {
  readonly name: string;
  readonly prototype: object;
  readonly method: string;
  readonly original: Method;
}

type Site = readonly [owner: { readonly name: string; readonly prototype: object }, method: string];

const SITES: Readonly<Record<KillCall, Site>> = {
  'journal-append': [DynamoDbJournalStore, 'append'],
  'checkpoint-put': [S3CheckpointStore, 'put'],
  'session-report': [DynamoDbSessionStore, 'report'],
  'job-prepare': [DynamoDbJobStore, 'prepare'],
  'job-advance': [DynamoDbJobStore, 'advance'],
  'log-append': [DynamoDbEventLog, 'append'],
  'bus-publish': [EventBridgeEventBus, 'publish'],
  'queue-receive': [SqsShardQueue, 'receive'],
  'queue-done': [SqsShardQueue, 'done'],
  'queue-postpone': [SqsShardQueue, 'postpone'],
  'ownership-acquire': [DynamoDbOwnershipStore, 'acquire'],
  'ownership-release': [DynamoDbOwnershipStore, 'release'],
  'ownership-heartbeat': [DynamoDbOwnershipStore, 'heartbeat'],
  'wire-send': [WebSocket, 'send'],
};

/** @throws Error that names the methods which the product does not have any more */
export function findCallSites(): ReadonlyMap<KillCall, CallSite> {
  const found = new Map(KILL_CALLS.map((call) => [call, siteOf(SITES[call])]));
  const gone = [...found].flatMap(([call, site]) =>
    site === undefined ? [`${call} (${SITES[call][0].name}.${SITES[call][1]})`] : [],
  );
  if (gone.length > 0)
    throw new Error(`Hosts cannot be killed at ${gone.join(', ')}: there is no such method any more.`);
  return new Map([...found].flatMap(([call, site]) => (site === undefined ? [] : [[call, site]])));
}

function siteOf([{ name, prototype }, method]: Site): CallSite | undefined {
  const original: unknown = Reflect.get(prototype, method);
  return isMethod(original) ? { name, prototype, method, original } : undefined;
}

function isMethod(value: unknown): value is Method {
  return typeof value === 'function';
}
