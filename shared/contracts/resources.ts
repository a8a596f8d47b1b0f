import { PROJECTED_EVENTS } from './events.ts';

/**
 * What the platform needs from AWS, once. The CDK app creates these in an account, the local cloud creates the same
 * ones on a laptop. Names are the logical ones; an account's stack may add its own prefix.
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

export const TABLES = {
  sessions: 'trunkline-sessions',
  jobs: 'trunkline-jobs',
  hosts: 'trunkline-hosts',
  shards: 'trunkline-shards',
  messages: 'trunkline-messages',
  chats: 'trunkline-chats',
  apiKeys: 'trunkline-api-keys',
  journal: 'trunkline-journal',
  dataKeys: 'trunkline-data-keys',
} as const;

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
} as const;

export const BUCKETS = {
  /** Checkpoints of auth state and large bodies of its journal; control functions have no access. */
  state: 'trunkline-state',
  /** Media in and out, and event details too large for the bus. */
  media: 'trunkline-media',
} as const;

export const BUS = 'trunkline';
export const EVENT_SOURCE = 'trunkline';
export const QUEUES = {
  shardDeadLetters: 'trunkline-shard-dead-letters.fifo',
  projector: 'trunkline-projector',
  projectorDeadLetters: 'trunkline-projector-dead-letters',
} as const;

/** How long what a dead host had in hand, and all that its sessions send after it, waits. Hosts extend it meanwhile. */
export const SHARD_VISIBILITY_SECONDS = 15;

export type Pool = 'socket' | 'browser';

/** A shard's id, e.g. `socket-03`. */
export function shardIds(pool: Pool, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${pool}-${String(index).padStart(2, '0')}`);
}

/** The FIFO queue of a shard. */
export function shardQueueName(shard: string): string {
  return `trunkline-shard-${shard}.fifo`;
}

/** All resources of an installation with `shards` shards in the socket pool. */
export function resourceDefinition(shards: number): ResourceDefinition {
  const text = (name: string): KeyDefinition => ({ name, type: 'S' });
  return {
    tables: [
      {
        name: TABLES.sessions,
        partitionKey: text('name'),
        indexes: [{ name: INDEXES.sessionsByShard, partitionKey: text('shard'), sortKey: text('name') }],
      },
      {
        name: TABLES.jobs,
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
      { name: TABLES.hosts, partitionKey: text('hostId'), ttlAttribute: 'ttl' },
      { name: TABLES.shards, partitionKey: text('shard') },
      {
        name: TABLES.messages,
        partitionKey: text('session'),
        sortKey: text('id'),
        indexes: [
          { name: INDEXES.messagesByChat, partitionKey: text('chatKey'), sortKey: text('position') },
          { name: INDEXES.messagesBySession, partitionKey: text('session'), sortKey: text('position') },
        ],
      },
      {
        name: TABLES.chats,
        partitionKey: text('session'),
        sortKey: text('chatId'),
        indexes: [{ name: INDEXES.chatsByTime, partitionKey: text('session'), sortKey: text('position') }],
      },
      { name: TABLES.apiKeys, partitionKey: text('keyHash') },
      {
        name: TABLES.journal,
        partitionKey: text('session'),
        sortKey: { name: 'lsn', type: 'N' },
        ttlAttribute: 'ttl',
      },
      // Where KMS is used. Backups of this table would keep alive what deletion of a session is to make unreadable.
      { name: TABLES.dataKeys, partitionKey: text('session'), sortKey: { name: 'number', type: 'N' } },
    ],
    queues: [
      { name: QUEUES.shardDeadLetters, fifo: true, visibilityTimeoutSeconds: 30 },
      { name: QUEUES.projectorDeadLetters, fifo: false, visibilityTimeoutSeconds: 30 },
      ...shardIds('socket', shards).map((shard) => ({
        name: shardQueueName(shard),
        fifo: true,
        visibilityTimeoutSeconds: SHARD_VISIBILITY_SECONDS,
        deadLetterQueue: QUEUES.shardDeadLetters,
        maxReceiveCount: 1000,
      })),
      {
        name: QUEUES.projector,
        fifo: false,
        visibilityTimeoutSeconds: 60,
        deadLetterQueue: QUEUES.projectorDeadLetters,
        maxReceiveCount: 10,
      },
    ],
    buckets: [{ name: BUCKETS.state }, { name: BUCKETS.media }],
    bus: { name: BUS },
    rules: [
      {
        name: 'trunkline-projector',
        pattern: { source: [EVENT_SOURCE], 'detail-type': PROJECTED_EVENTS },
        targets: [{ id: 'projector', queue: QUEUES.projector, deadLetterQueue: QUEUES.projectorDeadLetters }],
      },
    ],
    eventSources: [{ queue: QUEUES.projector, function: 'event-projector', batchSize: 10 }],
    schedules: [{ name: 'trunkline-reconciler', function: 'reconciler', everySeconds: 60 }],
  };
}
