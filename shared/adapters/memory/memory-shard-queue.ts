import type { ShardMessage } from '../../contracts/jobs.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Lane, ReceivedShardMessage, ShardQueue } from '../../ports/shard-queue.ts';
import { deduplicationKey, laneGroup } from '../shard-lanes.ts';
import { systemClock } from '../system-clock.ts';

const DEDUPLICATION_MS = 5 * 60 * 1000;
const LONGEST_SLEEP_MS = 20;

interface QueuedMessage {
  readonly id: string;
  readonly group: string;
  readonly body: ShardMessage;
  receipt: string;
  receiveCount: number;
  /** Monotonic time from which it can be received. */
  visibleAt: number;
}

interface Shard {
  messages: QueuedMessage[];
  readonly duplicates: Map<string, number>;
}

export interface BuriedMessage {
  readonly shard: string;
  readonly body: ShardMessage;
  readonly reason: string;
}

export interface MemoryShardQueueOptions {
  /** Owns visibility, deduplication and the length of the poll. */
  readonly clock?: Clock;
  /** @default 60 */
  readonly visibilitySeconds?: number;
  /** @default 20 */
  readonly pollSeconds?: number;
}

/** FIFO queues as SQS has them: a message that is out, or waits, holds back the rest of its group. */
export class MemoryShardQueue implements ShardQueue {
  readonly buried: BuriedMessage[] = [];
  readonly #shards = new Map<string, Shard>();
  readonly #clock: Clock;
  readonly #visibilityMs: number;
  readonly #pollMs: number;
  #count = 0;
  #changed = Promise.withResolvers<void>();

  constructor(options: MemoryShardQueueOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#visibilityMs = (options.visibilitySeconds ?? 60) * 1000;
    this.#pollMs = (options.pollSeconds ?? 20) * 1000;
  }

  async send(shard: string, message: ShardMessage, lane: Lane, deduplicationId: string): Promise<void> {
    const { messages, duplicates } = this.#shard(shard);
    const now = this.#clock.monotonic();
    const group = laneGroup(message, lane);
    const key = deduplicationKey(group, deduplicationId);
    const sentAt = duplicates.get(key);
    if (sentAt !== undefined && now - sentAt < DEDUPLICATION_MS) return;
    duplicates.set(key, now);
    messages.push({
      id: this.#next('message'),
      group,
      body: structuredClone(message),
      receipt: '',
      receiveCount: 0,
      visibleAt: now,
    });
    this.#wake();
  }

  async receive(shard: string, signal: AbortSignal): Promise<readonly ReceivedShardMessage[]> {
    const deadline = this.#clock.monotonic() + this.#pollMs;
    while (!signal.aborted) {
      const taken = this.#take(shard);
      if (taken.length > 0 || this.#clock.monotonic() >= deadline) return taken;
      await this.#sleep(signal);
    }
    return [];
  }

  async depth(shard: string): Promise<number> {
    return this.size(shard);
  }

  async done(shard: string, receipt: string): Promise<void> {
    const queue = this.#shard(shard);
    queue.messages = queue.messages.filter((message) => message.receipt !== receipt);
    this.#wake();
  }

  async postpone(shard: string, receipt: string, seconds: number): Promise<void> {
    const message = this.#shard(shard).messages.find((candidate) => candidate.receipt === receipt);
    if (message !== undefined) message.visibleAt = this.#clock.monotonic() + seconds * 1000;
    this.#wake();
  }

  async bury(shard: string, message: ReceivedShardMessage, reason: string): Promise<void> {
    this.buried.push({ shard, body: message.body, reason });
    await this.done(shard, message.receipt);
  }

  /** Messages in the queue, those that are out included. */
  size(shard: string): number {
    return this.#shard(shard).messages.length;
  }

  #take(shard: string): readonly ReceivedShardMessage[] {
    const now = this.#clock.monotonic();
    const held = new Set<string>();
    const taken: ReceivedShardMessage[] = [];
    for (const message of this.#shard(shard).messages) {
      if (taken.length >= 10) break;
      if (message.visibleAt > now) held.add(message.group);
      if (held.has(message.group)) continue;
      message.receipt = this.#next('receipt');
      message.receiveCount += 1;
      message.visibleAt = now + this.#visibilityMs;
      const { body, receipt, id, receiveCount } = message;
      taken.push({ body: structuredClone(body), receipt, messageId: id, receiveCount });
    }
    return taken;
  }

  /** Until something changes, but never long: nobody tells when the injected clock moves. */
  async #sleep(signal: AbortSignal): Promise<void> {
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const timer = setTimeout(end, LONGEST_SLEEP_MS);
    signal.addEventListener('abort', end, { once: true });
    await Promise.race([ended, this.#changed.promise]);
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  #shard(shard: string): Shard {
    const known = this.#shards.get(shard);
    if (known !== undefined) return known;
    const created: Shard = { messages: [], duplicates: new Map() };
    this.#shards.set(shard, created);
    return created;
  }

  #next(kind: string): string {
    this.#count += 1;
    return `${kind}-${this.#count}`;
  }
}
