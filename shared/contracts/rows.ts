import * as z from 'zod';
import { waMessageSchema } from './message.ts';
import { engineNameSchema, meSchema, sessionConfigSchema, sessionStatusSchema, statusChangeSchema } from './session.ts';

/**
 * Row of the sessions table, key `name`. Two writers: the API owns what is wanted (`desired`, `config` and the tokens),
 * the shard's owner owns what is (`status` and below). Times are milliseconds since 1970.
 */
export const sessionRowSchema = z.object({
  name: z.string(),
  /** Unique for each creation: tells a session from a later one with the same name. */
  incarnation: z.string(),
  engine: engineNameSchema,
  pool: z.enum(['socket', 'browser']),
  shard: z.string(),
  config: sessionConfigSchema,
  desired: z.enum(['RUNNING', 'STOPPED', 'DELETED']),
  /** A new value asks the runner to stop and start once. */
  restartToken: z.string().optional(),
  /** A new value asks the runner to unlink the device and drop the auth state once. */
  logoutToken: z.string().optional(),
  createdAt: z.number(),
  updatedAt: z.number(),

  status: sessionStatusSchema,
  statuses: z.array(statusChangeSchema),
  /** Machine-readable reason of the status, e.g. `logged-out`, `conflict`, `qr-expired`. */
  statusReason: z.string().optional(),
  statusData: z.record(z.string(), z.unknown()).nullable().optional(),
  /** Time of the last status, while it is one that may be for good and no event has told it yet. */
  untold: z.number().nullable().optional(),
  /** Numbers up to this one may belong to events that were told while the session's state could not be read. */
  reservedSeq: z.number().optional(),
  me: meSchema.nullable(),
  /** Text of the QR code on show. */
  qr: z.object({ value: z.string(), expiresAt: z.number() }).nullable(),
  activityAt: z.number().nullable(),
  /** Pacing lets no ordinary send leave before this time. */
  nextSendAt: z.number().optional(),
  /** Host that runs it, for people to read. */
  hostId: z.string().nullable(),
  /** Epoch under which the owner last wrote; a lower one may not write any more. */
  epoch: z.number(),
  /** Newest checkpoint of the auth state; null before the first and after a logout. */
  checkpoint: z.object({ key: z.string(), lsn: z.number(), epoch: z.number() }).nullable(),
  restartDone: z.string().optional(),
  logoutDone: z.string().optional(),
  /** The restore that brought it here from a backup: its state may be older than what has left since. */
  restored: z.string().optional(),
});
export type SessionRow = z.infer<typeof sessionRowSchema>;

/** Row of the hosts table, key `hostId`. No wall clock: liveness is a counter that moves. */
export const hostRowSchema = z.object({
  hostId: z.string(),
  /** Unique for each process. */
  incarnation: z.string(),
  pool: z.enum(['socket', 'browser']),
  /** Record version, one more at each heartbeat. */
  rvn: z.number(),
  state: z.enum(['ACTIVE', 'DRAINING', 'DEAD']),
  /** Weight of the sessions that it runs, see `sessionWeight`. Rows of earlier versions lack it. */
  load: z.number().default(0),
  /** ARN of the ECS task that it is; undefined where there is none. */
  task: z.string().optional(),
  startedAt: z.number(),
  ttl: z.number(),
});
export type HostRow = z.infer<typeof hostRowSchema>;

/** Row of the shards table, key `shard`. `epoch` is the fencing token: it grows at every change of owner. */
export const shardRowSchema = z.object({
  shard: z.string(),
  epoch: z.number(),
  /** hostId of the owner; null when free. */
  owner: z.string().nullable(),
  ownerIncarnation: z.string().nullable(),
});
export type ShardRow = z.infer<typeof shardRowSchema>;

/** Row of the fleets table, key `pool`: how many hosts it needed lately, newest last. */
export const fleetRowSchema = z.object({
  pool: z.enum(['socket', 'browser']),
  /** One more at each decision. */
  version: z.number(),
  /** Milliseconds since 1970; wall clocks are good enough for how long a spare host stays. */
  needs: z.array(z.object({ at: z.number(), hosts: z.number() })),
});
export type FleetRow = z.infer<typeof fleetRowSchema>;

/**
 * Row of the messages read model as readers see it (ADR 5); `id` is the bare message id. `chatKey` is `session#chatId`,
 * `position` sorts by time: seconds in 12 digits, `#`, the event's `seq` in 15 digits, `#`, id.
 */
export const messageRowSchema = z.object({
  session: z.string(),
  id: z.string(),
  chatId: z.string(),
  chatKey: z.string(),
  position: z.string(),
  message: waMessageSchema,
  /** Highest ack seen, also when it came before the message. */
  ack: z.number(),
  /** Reactions by sender. */
  reactions: z.record(z.string(), z.string()),
  editedAt: z.number().optional(),
  revokedAt: z.number().optional(),
});
export type MessageRow = z.infer<typeof messageRowSchema>;

/** Row of the chats read model, key (`session`, `chatId`); `position` as above, of the last message. */
export const chatRowSchema = z.object({
  session: z.string(),
  chatId: z.string(),
  name: z.string().nullable(),
  lastMessageId: z.string().nullable(),
  /** Seconds. */
  timestamp: z.number(),
  position: z.string(),
});
export type ChatRow = z.infer<typeof chatRowSchema>;

/** Row of the event log (ADR 18), key (`session`, `place`): what a session's owner logged at once. Rows may say the same events again. */
export const eventLogRowSchema = z.object({
  session: z.string(),
  /** Sorts: `seq` of the last event in 15 digits, `#`, rows with more events first, `#`, `loggedAt`. */
  place: z.string(),
  /** Milliseconds since 1970. */
  loggedAt: z.number(),
  /** What `body` has, in its order: `seq` grows. */
  events: z.array(z.object({ id: z.string(), seq: z.number() })),
  /** zstd over a JSON array of envelopes; in place of a large one there is a reference to it. */
  body: z.instanceof(Uint8Array),
  ttl: z.number(),
});
export type EventLogRow = z.infer<typeof eventLogRowSchema>;

/** How far it is found out where a stream goes on. Sessions are taken by name; those up to `after` are done, or under way in `open`. */
const foundEventSchema = z.object({ id: z.string(), session: z.string(), seq: z.number(), loggedAt: z.number() });
const streamStartSchema = z.discriminatedUnion('step', [
  /** Its events are looked for, in each session from the newest on back; one that is found may have been told further back, too. */
  z.object({
    step: z.literal('search'),
    after: z.string().optional(),
    open: z.array(
      z.object({ session: z.string(), from: z.object({ place: z.string(), newest: z.number() }).optional() }),
    ),
    found: z.array(foundEventSchema),
  }),
  /** It is known which are there; each session gets its cursor, those that have none of them begin with what was logged from `from` on. */
  z.object({
    step: z.literal('cursors'),
    after: z.string().optional(),
    found: z.array(foundEventSchema),
    /** Missing where a version before has begun. */
    from: z.number().optional(),
  }),
  /** Each has one; each session gets its turn. */
  z.object({ step: z.literal('turns'), after: z.string().optional() }),
]);
export type StreamStart = z.infer<typeof streamStartSchema>;

/** An open event stream, in the streams table. Times are milliseconds since 1970. */
export const streamRowSchema = z.object({
  connectionId: z.string(),
  /** Where API Gateway takes messages for it. */
  endpoint: z.string(),
  /** The key that opened it, and its hash: when it is revoked or rotated out, the stream ends. */
  keyId: z.string(),
  keyHash: z.string(),
  /** Names of sessions, or `*` alone. */
  sessions: z.array(z.string()),
  /** Names of events, or `*` for all but `engine.event`. */
  events: z.array(z.string()),
  openedAt: z.number(),
  /** Ids of events after which it goes on, until their places are found. */
  since: z.array(z.string()).optional(),
  /** The same ids from then on: its other end has these events, however often they are told. */
  had: z.array(z.string()).optional(),
  /** From the first step of that on until all its sessions have had their turn. */
  start: streamStartSchema.optional(),
  /** While its other end does not read as fast as it is written to: from when on, and for which sessions something waits. */
  slow: z.object({ since: z.number(), sessions: z.array(z.string()) }).optional(),
  /** When the next heartbeat is due. */
  heartbeatAt: z.number(),
});
export type StreamRow = z.infer<typeof streamRowSchema>;

/** What a key can be allowed to do: WAHA's six, and `media`, a part of `read`. */
export const KEY_ACTIONS = ['read', 'send', 'control', 'setting', 'app', 'delete', 'media'] as const;
export type KeyAction = (typeof KEY_ACTIONS)[number];

/**
 * Row of the keys table, key `id`: who may do what. Either the hash of an API key, which is itself nowhere, or an IAM
 * principal. Times are milliseconds since 1970.
 */
export const apiKeyRowSchema = z.object({
  id: z.string(),
  /** One more at each change. */
  version: z.number(),
  name: z.string().nullable(),
  /** HMAC-SHA256 of the key under the installation's pepper, hex. Without one the row lets no key in. */
  hash: z.string().optional(),
  /** The key before the last rotation, which works until then. */
  previous: z.object({ hash: z.string(), until: z.number() }).optional(),
  /** Of this a key is derived that can be told again. */
  nonce: z.string().optional(),
  /** The key was not made here. */
  brought: z.literal(true).optional(),
  /** Revoked for good. The row stays where its absence would open something. */
  deletedAt: z.number().optional(),
  /** Somebody is about to take away an administrator's key, so others must not count on it. It works all the same. */
  leaving: z.literal(true).optional(),
  /** IAM user or role whose signed requests this row governs. */
  principal: z.string().optional(),
  isAdmin: z.boolean(),
  isActive: z.boolean(),
  /** Null: all sessions. */
  session: z.string().nullable().default(null),
  /** Of the session it was made for: it opens no later one of the same name. */
  incarnation: z.string().optional(),
  actions: z.array(z.enum(KEY_ACTIONS)),
  /** Usage plan that its requests count against; none: the installation's first. */
  plan: z.string().optional(),
  createdAt: z.number(),
  expiresAt: z.number().optional(),
  /** Exact to a minute or so. */
  lastUsedAt: z.number().optional(),
});
export type ApiKeyRow = z.infer<typeof apiKeyRowSchema>;
