import * as z from 'zod';
import { sessionWeight } from '../domain/session-weight.ts';

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
export const LOCAL_NAMES = resourceNames({ RESOURCE_PREFIX: 'trunkline', BUCKET_SUFFIX: '' });
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
  /** deliveries of an endpoint by state, oldest event first. */
  deliveriesByState: 'byState',
  /** deliveries of an endpoint that wait for another try, by its time. */
  dueDeliveries: 'due',
} as const;

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
