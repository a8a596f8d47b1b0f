import * as z from 'zod';

/** Path of the event stream, and the name of its API's stage, so that the address ends the same everywhere. */
export const STREAM_STAGE = 'ws';
/** What API Gateway carries in a message, in bytes. */
export const STREAM_MESSAGE_BYTES = 128 * 1024;
/** Seconds between two signs of life on a stream; API Gateway ends a connection after ten minutes without. */
export const HEARTBEAT_SECONDS = 30;
/** Every session that the key may see. */
export const ALL_SESSIONS = '*';

/** Why a stream ends. */
export const STREAM_END_REASONS = ['since-unknown', 'key-revoked', 'slow-reader'] as const;
export type StreamEndReason = (typeof STREAM_END_REASONS)[number];

/** What a stream says besides events, which are envelopes as they are. */
export type StreamNotice =
  | { readonly event: 'stream.heartbeat'; readonly timestamp: number }
  /** Of the events that the stream is to go on after some are not there (any more). What was between them and the log's beginning is missing. */
  | {
      readonly event: 'stream.gap';
      readonly timestamp: number;
      readonly payload: { readonly since: readonly string[]; readonly message: string };
    }
  /** The last message of a stream that is ended from this side. */
  | {
      readonly event: 'stream.closed';
      readonly timestamp: number;
      readonly payload: { readonly reason: StreamEndReason; readonly message: string };
    };

/**
 * What to do for a stream. `opened`: find out where it begins. `session`: there may be something behind its cursor; `seq` is that of the
 * event that says so. `retry`: its other end was busy. `heartbeat`: show that it is there; `at` is the time (milliseconds) for
 * which it was ordered.
 */
export const streamTaskSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('opened'), connectionId: z.string() }),
  z.object({ kind: z.literal('session'), connectionId: z.string(), session: z.string(), seq: z.number().optional() }),
  z.object({ kind: z.literal('retry'), connectionId: z.string() }),
  z.object({ kind: z.literal('heartbeat'), connectionId: z.string(), at: z.number() }),
]);
export type StreamTask = z.infer<typeof streamTaskSchema>;

/** A task that comes back through the queue of events when its time has come. */
const streamTimerSchema = z.object({ timer: streamTaskSchema });

/** A bus event, as far as streams use it. */
const streamNewsSchema = z.object({
  id: z.string(),
  /** Of an event that comes again out of the bus's archive. */
  'replay-name': z.string().optional(),
  /** `seq` is missing where an earlier version has published an event that was too large for the bus. */
  detail: z.object({ session: z.string(), seq: z.number().optional() }),
});
/** Body of any message on the fan-out's queue. */
export const streamMessageSchema = z.union([streamTimerSchema, streamNewsSchema]);
