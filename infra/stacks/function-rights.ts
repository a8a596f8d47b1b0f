import type { ApiFunctionName } from '#shared/contracts/api/routes.ts';
import type { QueueId, TableRights } from '../constructs/access.ts';

/** The functions besides the API's. */
export type WorkFunctionName =
  | 'authorizer'
  | 'event-projector'
  | 'stream-connections'
  | 'stream-fanout'
  | 'stream-sender'
  | 'reconciler'
  | 'capacity'
  | 'administrator-key'
  | 'webhook-fanout'
  | 'webhook-dispatcher';
export type FunctionName = ApiFunctionName | WorkFunctionName;

export interface FunctionRights {
  readonly tables: TableRights;
  /** `send`: wake a shard's owner; `depth`: see how much waits. */
  readonly shardQueues?: readonly ('send' | 'depth')[];
  /** Queues that it sends to, besides shards'. */
  readonly queues?: readonly QueueId[];
  /** Queues of dead letters that it takes from. */
  readonly deadLetters?: readonly QueueId[];
  /** Tells on the bus that a session wants a host, or that a webhook was disabled. */
  readonly events?: true;
  /** Reads them when it starts. */
  readonly secrets?: readonly ('keyPepper' | 'administratorKey')[];
  /** Decides how many hosts run. */
  readonly hostCount?: true;
  readonly media?: {
    /** Beginnings of keys. */
    readonly prefixes: readonly string[];
    readonly actions: readonly ('GetObject' | 'PutObject')[];
    /** Without it S3 says 403 of what does not exist. */
    readonly list?: boolean;
  };
}

/** What it takes to know what an IAM principal may do, and to note that it did something. */
const SIGNED = { sessions: ['get'], apiKeys: ['get', 'noteUse'] } as const;

/** What accepting a command takes: find the session, write the job, wake the owner. */
const ACCEPT_COMMANDS = {
  tables: { ...SIGNED, jobs: ['get', 'put', 'update'] },
  shardQueues: ['send', 'depth'],
} as const;

/** And a send: count what waits. */
const ACCEPT_JOBS = {
  tables: { ...SIGNED, jobs: ['get', 'query', 'put', 'update'] },
  shardQueues: ['send', 'depth'],
} as const;

/**
 * What each function may do, and nothing else. None has anything to do with auth state: its bucket, its journal and its
 * key are the hosts'.
 */
export const FUNCTION_RIGHTS: Readonly<Record<FunctionName, FunctionRights>> = {
  'api-sessions': {
    tables: {
      sessions: ['get', 'query', 'scan', 'put', 'update', 'delete'],
      messages: ['clear'],
      chats: ['clear'],
      eventLog: ['query'],
      webhookEndpoints: ['query', 'put', 'update', 'clear'],
      webhookDeliveries: ['clear'],
      // The keys of a deleted session go with it.
      apiKeys: ['get', 'noteUse', 'query', 'delete'],
      audit: ['put'],
    },
    shardQueues: ['send'],
    queues: ['webhooks'],
    events: true,
  },
  'api-pairing': { ...ACCEPT_COMMANDS, tables: { ...ACCEPT_COMMANDS.tables, audit: ['put'] } },
  'api-contacts': ACCEPT_COMMANDS,
  'api-chatting': {
    ...ACCEPT_JOBS,
    tables: { ...ACCEPT_JOBS.tables, messages: ['get', 'query', 'update'] },
    media: { prefixes: ['out/'], actions: ['PutObject'] },
  },
  'api-chats': {
    ...ACCEPT_JOBS,
    tables: { ...ACCEPT_JOBS.tables, messages: ['get', 'query'], chats: ['query', 'many'] },
  },
  'api-webhooks': {
    tables: {
      ...SIGNED,
      eventLog: ['query'],
      webhookEndpoints: ['get', 'query', 'put', 'update'],
      webhookDeliveries: ['query', 'append'],
      audit: ['put'],
    },
    queues: ['webhookEndpoints'],
    media: { prefixes: ['events/'], actions: ['GetObject'], list: true },
  },
  'api-files': { tables: SIGNED, media: { prefixes: ['files/'], actions: ['GetObject'], list: true } },
  'api-jobs': { tables: { ...SIGNED, jobs: ['get', 'query', 'many', 'update'], messages: ['get', 'query'] } },
  'api-keys': {
    tables: {
      sessions: ['get'],
      apiKeys: ['get', 'noteUse', 'query', 'scan', 'put', 'delete'],
      audit: ['query', 'put'],
    },
    secrets: ['keyPepper'],
  },
  'api-server': { tables: SIGNED },
  'api-docs': { tables: {} },
  authorizer: { tables: { apiKeys: ['get', 'noteUse'], sessions: ['get'] }, secrets: ['keyPepper'] },
  'event-projector': {
    tables: { messages: ['get', 'query', 'update'], chats: ['update'] },
    media: { prefixes: ['events/'], actions: ['GetObject'] },
  },
  'stream-connections': {
    tables: { apiKeys: ['get', 'noteUse'], sessions: ['get'], eventLog: ['query'], streams: ['get', 'put', 'clear'] },
    queues: ['streams', 'streamTasks'],
    secrets: ['keyPepper'],
  },
  'stream-fanout': { tables: { streams: ['query'] }, queues: ['streamTasks'] },
  'stream-sender': {
    tables: {
      apiKeys: ['get'],
      eventLog: ['query'],
      sessions: ['get', 'scan'],
      streams: ['get', 'put', 'update', 'clear'],
    },
    queues: ['streams', 'streamTasks'],
    media: { prefixes: ['events/'], actions: ['GetObject', 'PutObject'], list: true },
  },
  reconciler: {
    tables: { sessions: ['query'], jobs: ['get', 'query', 'update'] },
    shardQueues: ['send'],
    queues: ['webhooks', 'webhookEndpoints', 'streams', 'streamTasks'],
    deadLetters: ['webhooksDeadLetters', 'webhookEndpointsDeadLetters', 'streamsDeadLetters', 'streamTasksDeadLetters'],
  },
  capacity: {
    tables: { hosts: ['scan', 'update'], shards: ['scan'], sessions: ['get', 'query'], fleets: ['get', 'put'] },
    hostCount: true,
  },
  'webhook-fanout': { tables: { sessions: ['get'] }, queues: ['webhooks', 'webhookEndpoints'] },
  'webhook-dispatcher': {
    tables: {
      sessions: ['get'],
      eventLog: ['query'],
      webhookEndpoints: ['get', 'put', 'update'],
      webhookDeliveries: ['query', 'append'],
    },
    queues: ['webhooks', 'webhookEndpoints'],
    events: true,
    media: { prefixes: ['events/'], actions: ['GetObject'], list: true },
  },
  'administrator-key': {
    tables: { apiKeys: ['get', 'put'], audit: ['put'] },
    secrets: ['keyPepper', 'administratorKey'],
  },
};
