import * as z from 'zod';
import { sessionWeight } from '../domain/session-weight.ts';
import { PROJECTED_EVENTS } from './events.ts';
import { SESSION_WANTED_PATTERN, TASK_ENDS_PATTERN } from './fleet-events.ts';

/**
 * What the platform needs from AWS, once. The CDK app creates these in an account, the local cloud creates the same
 * ones on a laptop.
 */
export interface KeyDefinition {
  readonly name: string;
  readonly type: 'S' | 'N';
}

export interface IndexDefinition {
  readonly name: string;
  readonly partitionKey: KeyDefinition;
  readonly sortKey?: KeyDefinition;
  /** The only attributes it carries besides the keys. @default all */
  readonly attributes?: readonly string[];
}

export interface TableDefinition {
  readonly name: string;
  readonly partitionKey: KeyDefinition;
  readonly sortKey?: KeyDefinition;
  readonly indexes?: readonly IndexDefinition[];
  /** Attribute with the expiry in epoch seconds. Expiry only tidies up; nothing is correct because of it. */
  readonly ttlAttribute?: string;
}

export interface QueueDefinition {
  /** FIFO names end in `.fifo`. */
  readonly name: string;
  readonly fifo: boolean;
  readonly visibilityTimeoutSeconds: number;
  readonly deadLetterQueue?: string;
  readonly maxReceiveCount?: number;
}

export interface BucketDefinition {
  readonly name: string;
}

export interface RuleDefinition {
  readonly name: string;
  /** `default` is the account's own bus, where the services of AWS tell what happens. @default the platform's bus */
  readonly bus?: 'default';
  /** EventBridge event pattern. */
  readonly pattern: unknown;
  readonly targets: readonly {
    readonly id: string;
    readonly queue?: string;
    readonly function?: string;
    readonly deadLetterQueue?: string;
  }[];
}

export interface EventSourceDefinition {
  readonly queue: string;
  readonly function: string;
  readonly batchSize: number;
  /** Invocations at the same time, at least 2. @default what the event source has */
  readonly concurrency?: number;
}

/** A function that is called at a fixed rate: a schedule of EventBridge in AWS. */
export interface ScheduleDefinition {
  readonly name: string;
  readonly function: string;
  readonly everySeconds: number;
}

export interface ResourceDefinition {
  readonly tables: readonly TableDefinition[];
  readonly queues: readonly QueueDefinition[];
  readonly buckets: readonly BucketDefinition[];
  readonly bus: { readonly name: string };
  readonly rules: readonly RuleDefinition[];
  readonly eventSources: readonly EventSourceDefinition[];
  readonly schedules: readonly ScheduleDefinition[];
}

export type TableId =
  | 'sessions'
  | 'jobs'
  | 'hosts'
  | 'shards'
  | 'fleets'
  | 'messages'
  | 'chats'
  | 'apiKeys'
  | 'audit'
  | 'journal'
  | 'dataKeys'
  | 'eventLog'
  | 'streams'
  | 'webhookEndpoints'
  | 'webhookDeliveries';

/**
 * `state`: checkpoints of auth state and large bodies of its journal; control functions have no access.
 * `media`: media in and out, and event details too large for the bus.
 */
export type BucketId = 'state' | 'media';

/** What all resources of one installation are called. */
export interface ResourceNames {
  readonly prefix: string;
  readonly tables: Readonly<Record<TableId, string>>;
  readonly buckets: Readonly<Record<BucketId, string>>;
  readonly bus: string;
  readonly queues: {
    readonly shardDeadLetters: string;
    readonly projector: string;
    readonly projectorDeadLetters: string;
    readonly capacity: string;
    readonly capacityDeadLetters: string;
    readonly streams: string;
    readonly streamsDeadLetters: string;
    readonly streamTasks: string;
    readonly streamTasksDeadLetters: string;
    /** Bus events, and timers of endpoints. */
    readonly webhooks: string;
    readonly webhooksDeadLetters: string;
    /** Wake-ups of endpoints; each endpoint is a group. */
    readonly webhookEndpoints: string;
    readonly webhookEndpointsDeadLetters: string;
  };
  /** The FIFO queue of a shard. */
  readonly shardQueue: (shard: string) => string;
}

/**
 * Environment that tells the installation a process belongs to; spread into the schema of every composition root. Several
 * installations live in one account under different prefixes; bucket names are the whole world's, so they also get a suffix.
 */
export const resourceNamesEnv = {
  RESOURCE_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}[a-z0-9]$/)
    .default('trunkline'),
  BUCKET_SUFFIX: z.string().max(40).default(''),
};

export function resourceNames(env: z.infer<z.ZodObject<typeof resourceNamesEnv>>): ResourceNames {
  const { RESOURCE_PREFIX: prefix, BUCKET_SUFFIX: suffix } = env;
  return {
    prefix,
    tables: {
      sessions: `${prefix}-sessions`,
      jobs: `${prefix}-jobs`,
      hosts: `${prefix}-hosts`,
      shards: `${prefix}-shards`,
      fleets: `${prefix}-fleets`,
      messages: `${prefix}-messages`,
      chats: `${prefix}-chats`,
      apiKeys: `${prefix}-keys`,
      audit: `${prefix}-audit`,
      journal: `${prefix}-journal`,
      dataKeys: `${prefix}-data-keys`,
      eventLog: `${prefix}-event-log`,
      streams: `${prefix}-streams`,
      webhookEndpoints: `${prefix}-webhook-endpoints`,
      webhookDeliveries: `${prefix}-webhook-deliveries`,
    },
    buckets: { state: `${prefix}-state${suffix}`, media: `${prefix}-media${suffix}` },
    bus: prefix,
    queues: {
      shardDeadLetters: `${prefix}-shard-dead-letters.fifo`,
      projector: `${prefix}-projector`,
      projectorDeadLetters: `${prefix}-projector-dead-letters`,
      capacity: `${prefix}-capacity`,
      capacityDeadLetters: `${prefix}-capacity-dead-letters`,
      streams: `${prefix}-streams`,
      streamsDeadLetters: `${prefix}-streams-dead-letters`,
      streamTasks: `${prefix}-stream-tasks.fifo`,
      streamTasksDeadLetters: `${prefix}-stream-tasks-dead-letters.fifo`,
      webhooks: `${prefix}-webhooks`,
      webhooksDeadLetters: `${prefix}-webhooks-dead-letters`,
      webhookEndpoints: `${prefix}-webhook-endpoints.fifo`,
      webhookEndpointsDeadLetters: `${prefix}-webhook-endpoints-dead-letters.fifo`,
    },
    shardQueue: (shard) => `${prefix}-shard-${shard}.fifo`,
  };
}

/** The installation of a laptop, and of whoever sets no prefix. */
const LOCAL_NAMES = resourceNames({ RESOURCE_PREFIX: 'trunkline', BUCKET_SUFFIX: '' });
export const TABLES = LOCAL_NAMES.tables;
export const BUCKETS = LOCAL_NAMES.buckets;
export const BUS = LOCAL_NAMES.bus;
export const QUEUES = LOCAL_NAMES.queues;
export const shardQueueName = LOCAL_NAMES.shardQueue;

export const EVENT_SOURCE = 'trunkline';

export const INDEXES = {
  /** sessions by shard: what a host has to run when it gets a shard. */
  sessionsByShard: 'byShard',
  /** messages of one chat, oldest first. */
  messagesByChat: 'byChat',
  /** messages of a session over all chats, oldest first. */
  messagesBySession: 'bySession',
  /** chats of a session by time of the last message. */
  chatsByTime: 'byTime',
  /** jobs that have not ended, by shard, then by session and age. */
  openJobs: 'open',
  /** jobs of a session, oldest first. */
  jobsBySession: 'bySession',
  /** keys that are for one session only. */
  keysBySession: 'bySession',
} as const;

/** How long the audit log is kept unless the installation says otherwise. */
export const AUDIT_DAYS = 365;

/** How long what a dead host had in hand, and all that its sessions send after it, waits. Hosts extend it meanwhile. */
export const SHARD_VISIBILITY_SECONDS = 15;

/** How long an endpoint waits when the dispatcher that worked for it has died. Not less than that function's timeout. */
const WEBHOOK_VISIBILITY_SECONDS = 30;
/** Endpoints that are worked for at the same time: as many dead ones as hang at once slow nobody down. */
const WEBHOOK_CONCURRENCY = 32;

/** Kinds of hosts: `socket` for engines that need only sockets, `browser` for those that start a browser for each session. */
export const POOLS = ['socket', 'browser'] as const;
export type Pool = (typeof POOLS)[number];

/** What an idle session of a pool's heaviest engine takes of a host. */
export const SESSION_UNITS: Readonly<Record<Pool, number>> = {
  socket: sessionWeight('NOWEB'),
  browser: sessionWeight('WEBJS'),
};

/** A shard's id, e.g. `socket-03`. */
export function shardIds(pool: Pool, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${pool}-${String(index).padStart(2, '0')}`);
}

/**
 * All resources of an installation.
 *
 * @param shards of the socket pool
 * @param browserShards of the browser pool; 0: there is none
 */
export function resourceDefinition(
  shards: number,
  names: ResourceNames = LOCAL_NAMES,
  browserShards = 0,
): ResourceDefinition {
  const { tables, queues, buckets } = names;
  const text = (name: string): KeyDefinition => ({ name, type: 'S' });
  const toCapacity = { id: 'capacity', queue: queues.capacity, deadLetterQueue: queues.capacityDeadLetters };
  return {
    tables: [
      {
        name: tables.sessions,
        partitionKey: text('name'),
        indexes: [{ name: INDEXES.sessionsByShard, partitionKey: text('shard'), sortKey: text('name') }],
      },
      {
        name: tables.jobs,
        partitionKey: text('session'),
        sortKey: text('jobId'),
        indexes: [
          {
            name: INDEXES.openJobs,
            partitionKey: text('openShard'),
            sortKey: text('openPlace'),
            attributes: ['messageId', 'createdAt', 'expiresAt', 'wokenAt', 'wakes'],
          },
          {
            name: INDEXES.jobsBySession,
            partitionKey: text('session'),
            sortKey: { name: 'createdAt', type: 'N' },
            attributes: ['state'],
          },
        ],
        ttlAttribute: 'ttl',
      },
      { name: tables.hosts, partitionKey: text('hostId'), ttlAttribute: 'ttl' },
      { name: tables.shards, partitionKey: text('shard') },
      { name: tables.fleets, partitionKey: text('pool') },
      {
        name: tables.messages,
        partitionKey: text('session'),
        sortKey: text('id'),
        indexes: [
          { name: INDEXES.messagesByChat, partitionKey: text('chatKey'), sortKey: text('position') },
          { name: INDEXES.messagesBySession, partitionKey: text('session'), sortKey: text('position') },
        ],
      },
      {
        name: tables.chats,
        partitionKey: text('session'),
        sortKey: text('chatId'),
        indexes: [{ name: INDEXES.chatsByTime, partitionKey: text('session'), sortKey: text('position') }],
      },
      {
        name: tables.apiKeys,
        partitionKey: text('id'),
        indexes: [
          {
            name: INDEXES.keysBySession,
            partitionKey: text('session'),
            sortKey: text('id'),
            attributes: ['incarnation'],
          },
        ],
      },
      { name: tables.audit, partitionKey: text('month'), sortKey: text('place'), ttlAttribute: 'ttl' },
      {
        name: tables.journal,
        partitionKey: text('session'),
        sortKey: { name: 'lsn', type: 'N' },
        ttlAttribute: 'ttl',
      },
      // Where KMS is used. Backups of this table would keep alive what deletion of a session is to make unreadable.
      { name: tables.dataKeys, partitionKey: text('session'), sortKey: { name: 'number', type: 'N' } },
      {
        name: tables.eventLog,
        partitionKey: text('session'),
        sortKey: text('place'),
        ttlAttribute: 'ttl',
      },
      { name: tables.streams, partitionKey: text('group'), sortKey: text('member'), ttlAttribute: 'ttl' },
      { name: tables.webhookEndpoints, partitionKey: text('session'), sortKey: text('endpointId') },
      {
        name: tables.webhookDeliveries,
        partitionKey: text('endpoint'),
        sortKey: { name: 'seq', type: 'N' },
        ttlAttribute: 'ttl',
      },
    ],
    queues: [
      { name: queues.shardDeadLetters, fifo: true, visibilityTimeoutSeconds: 30 },
      { name: queues.projectorDeadLetters, fifo: false, visibilityTimeoutSeconds: 30 },
      { name: queues.capacityDeadLetters, fifo: false, visibilityTimeoutSeconds: 30 },
      { name: queues.streamsDeadLetters, fifo: false, visibilityTimeoutSeconds: 30 },
      { name: queues.streamTasksDeadLetters, fifo: true, visibilityTimeoutSeconds: 30 },
      { name: queues.webhooksDeadLetters, fifo: false, visibilityTimeoutSeconds: 30 },
      { name: queues.webhookEndpointsDeadLetters, fifo: true, visibilityTimeoutSeconds: 30 },
      ...[...shardIds('socket', shards), ...shardIds('browser', browserShards)].map((shard) => ({
        name: names.shardQueue(shard),
        fifo: true,
        visibilityTimeoutSeconds: SHARD_VISIBILITY_SECONDS,
        deadLetterQueue: queues.shardDeadLetters,
        maxReceiveCount: 1000,
      })),
      {
        name: queues.projector,
        fifo: false,
        visibilityTimeoutSeconds: 60,
        deadLetterQueue: queues.projectorDeadLetters,
        maxReceiveCount: 10,
      },
      {
        name: queues.capacity,
        fifo: false,
        // Not less than the function's own timeout.
        visibilityTimeoutSeconds: 60,
        deadLetterQueue: queues.capacityDeadLetters,
        maxReceiveCount: 5,
      },
      {
        name: queues.streams,
        fifo: false,
        visibilityTimeoutSeconds: 60,
        deadLetterQueue: queues.streamsDeadLetters,
        maxReceiveCount: 10,
      },
      {
        name: queues.streamTasks,
        fifo: true,
        // A stream waits so long for the next try of what failed. Above the function's timeout: two would write to it at once.
        visibilityTimeoutSeconds: 60,
        deadLetterQueue: queues.streamTasksDeadLetters,
        maxReceiveCount: 10,
      },
      {
        name: queues.webhooks,
        fifo: false,
        visibilityTimeoutSeconds: 30,
        deadLetterQueue: queues.webhooksDeadLetters,
        maxReceiveCount: 10,
      },
      {
        name: queues.webhookEndpoints,
        fifo: true,
        visibilityTimeoutSeconds: WEBHOOK_VISIBILITY_SECONDS,
        deadLetterQueue: queues.webhookEndpointsDeadLetters,
        maxReceiveCount: 20,
      },
    ],
    buckets: [{ name: buckets.state }, { name: buckets.media }],
    bus: { name: names.bus },
    rules: [
      {
        name: `${names.prefix}-projector`,
        pattern: { source: [EVENT_SOURCE], 'detail-type': PROJECTED_EVENTS },
        targets: [{ id: 'projector', queue: queues.projector, deadLetterQueue: queues.projectorDeadLetters }],
      },
      {
        name: `${names.prefix}-streams`,
        pattern: { source: [EVENT_SOURCE] },
        targets: [{ id: 'streams', queue: queues.streams, deadLetterQueue: queues.streamsDeadLetters }],
      },
      {
        name: `${names.prefix}-webhooks`,
        pattern: { source: [EVENT_SOURCE] },
        targets: [{ id: 'webhooks', queue: queues.webhooks, deadLetterQueue: queues.webhooksDeadLetters }],
      },
      { name: `${names.prefix}-session-wanted`, pattern: SESSION_WANTED_PATTERN, targets: [toCapacity] },
      { name: `${names.prefix}-task-ends`, bus: 'default', pattern: TASK_ENDS_PATTERN, targets: [toCapacity] },
    ],
    eventSources: [
      { queue: queues.projector, function: 'event-projector', batchSize: 10 },
      { queue: queues.streams, function: 'stream-fanout', batchSize: 10 },
      { queue: queues.streamTasks, function: 'stream-sender', batchSize: 5 },
      // Each batch looks at the whole fleet: more at once would only do the same.
      { queue: queues.capacity, function: 'capacity', batchSize: 10, concurrency: 2 },
      // One wake-up at a time: endpoints of one batch would wait for each other. Before the fan-out, because what is started
      // last is stopped first: nobody is to be woken who has stopped.
      {
        queue: queues.webhookEndpoints,
        function: 'webhook-dispatcher',
        batchSize: 1,
        concurrency: WEBHOOK_CONCURRENCY,
      },
      { queue: queues.webhooks, function: 'webhook-fanout', batchSize: 10 },
    ],
    schedules: [
      { name: `${names.prefix}-reconciler`, function: 'reconciler', everySeconds: 60 },
      { name: `${names.prefix}-capacity`, function: 'capacity', everySeconds: 60 },
    ],
  };
}
