import * as z from 'zod';
import { commandSchema } from './commands.ts';

/**
 * States of a job. The row is the truth, the queue only the wake-up.
 * `QUEUED → PREPARED` (content frozen, the last write before the wire) `→ SENT` (the server's ack) for sends,
 * `QUEUED → DONE` for commands; `FAILED`, `EXPIRED`, `CANCELLED` end both. `DELIVERED → READ | PLAYED` are in no row:
 * whoever is shown one job sees them in place of `SENT`, from the receipts that the messages' read model knows.
 */
export const JOB_STATES = [
  'QUEUED',
  'PREPARED',
  'SENT',
  'DELIVERED',
  'READ',
  'PLAYED',
  'DONE',
  'FAILED',
  'EXPIRED',
  'CANCELLED',
] as const;
export const jobStateSchema = z.enum(JOB_STATES).meta({
  description: [
    'QUEUED: nothing has left, it can be cancelled.',
    'PREPARED: its content is fixed and it leaves; it may be on the wire or have left, nobody knows until WhatsApp answers.',
    'SENT: WhatsApp has it. DELIVERED, READ, PLAYED: what the receipts say.',
    'DONE: a command has its result.',
    'FAILED: `error` says why. EXPIRED: it could not leave in time. CANCELLED: by you, nothing has left.',
  ].join(' '),
});
export type JobState = z.infer<typeof jobStateSchema>;

/** States in which an engine has nothing left to do. */
export const FINISHED_STATES: ReadonlySet<JobState> = new Set([
  'SENT',
  'DELIVERED',
  'READ',
  'PLAYED',
  'DONE',
  'FAILED',
  'EXPIRED',
  'CANCELLED',
]);

/** States in which an engine still has something to do. */
export const OPEN_STATES: readonly JobState[] = JOB_STATES.filter((state) => !FINISHED_STATES.has(state));

export const jobErrorSchema = z.object({ code: z.string(), message: z.string() });

/** Row of the jobs table, key (`session`, `jobId`). Times are milliseconds since 1970. */
export const jobRowSchema = z.object({
  session: z.string(),
  jobId: z.string(),
  /** That of the session it was accepted for: a later session of the same name has nothing to do with it. */
  incarnation: z.string(),
  command: commandSchema,
  state: jobStateSchema,
  /** Id on the wire, for sends. */
  messageId: z.string().optional(),
  /** Protobuf `Message` as it goes on the wire, frozen before the first try, base64. */
  content: z.string().optional(),
  /** Attributes that accompany the content on the wire, frozen with it. */
  wire: z.record(z.string(), z.string()).optional(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: jobErrorSchema.optional(),
  /** Its handling threw again and again, the last time this: its message belongs among the dead letters. */
  poison: z.string().optional(),
  /** Epoch of the shard under which a host last wrote this row. */
  epoch: z.number().optional(),
  attempts: z.number(),
  /** Tries that have begun and of which no end is known: one is under way, or hosts were lost in them. */
  lostTries: z.number().optional(),
  createdAt: z.number(),
  updatedAt: z.number(),
  expiresAt: z.number(),
  /** Not sent before this time. */
  notBefore: z.number().optional(),
  /** What pacing lets it wait for. Then `notBefore` is an estimate, which pacing may correct. */
  waitsFor: z.string().optional(),
  /** Of the request that has made it; goes on in the job's events and their deliveries. */
  traceparent: z.string().optional(),
  /**
   * The session's shard. Present only while the job is open, or has ended with its session and that is still to be told: it
   * puts the row into the index of open jobs.
   */
  openShard: z.string().optional(),
  /** When the job's message was last put on the queue again. */
  wokenAt: z.number().optional(),
  /** How often that was done. */
  wakes: z.number().optional(),
  /** Epoch seconds; the row may vanish after it. */
  ttl: z.number(),
});
export type JobRow = z.infer<typeof jobRowSchema>;

/** Body of a message on a shard queue. The row holds everything else. */
export const shardMessageSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('job'),
    session: z.string(),
    jobId: z.string(),
    /** It opens a conversation, may not yet, and has been moved out of the way of the session's other sends. */
    parked: z.boolean().optional(),
    /** Sent because the job ends, late, whoever ends it: a host has to tell of that and no more. */
    ended: z.boolean().optional(),
  }),
  /** The session's row changed (start, stop, config, delete): look at it. */
  z.object({
    kind: z.literal('session-changed'),
    session: z.string(),
    /** Of the request that has changed it. */
    traceparent: z.string().optional(),
  }),
]);
export type ShardMessage = z.infer<typeof shardMessageSchema>;
