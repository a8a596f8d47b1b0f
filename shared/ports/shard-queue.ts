import type { ShardMessage } from '../contracts/jobs.ts';

export interface ReceivedShardMessage {
  readonly body: ShardMessage;
  readonly receipt: string;
  readonly messageId: string;
  /** How often it was received, this time included. */
  readonly receiveCount: number;
}

/**
 * `parked`: sends that open conversations and may not yet, so that the session's other sends need not wait for them.
 * `ended`: sends that are over and have to be told of: they wait for none, and no command waits for them.
 */
export type Lane = 'sends' | 'control' | 'parked' | 'ended';

/** The FIFO queue of a shard. Order holds within a lane of a session. */
export interface ShardQueue {
  /** @param deduplicationId same id within five minutes is taken once */
  send(shard: string, message: ShardMessage, lane: Lane, deduplicationId: string): Promise<void>;
  /** Long poll of at most 20 s; ends early, empty, on abort. A message that cannot be read goes to the dead letters. */
  receive(shard: string, signal: AbortSignal): Promise<readonly ReceivedShardMessage[]>;
  /** How many messages there are, those that are out or wait included. An estimate, cheap to ask for. */
  depth(shard: string): Promise<number>;
  done(shard: string, receipt: string): Promise<void>;
  /** Makes the message (and its lane) wait. @param seconds 0 … 43,200 */
  postpone(shard: string, receipt: string, seconds: number): Promise<void>;
  /** Puts a poisonous message on the dead-letter queue with its reason, then removes it. */
  bury(shard: string, message: ReceivedShardMessage, reason: string): Promise<void>;
}
