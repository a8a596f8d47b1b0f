import type { ShardMessage } from '#shared/contracts/jobs.ts';
import type { Lane, ReceivedShardMessage } from '#shared/ports/shard-queue.ts';

interface Held {
  readonly id: string;
  readonly group: string;
  readonly body: ShardMessage;
  receipt: string;
  receiveCount: number;
  /** Virtual milliseconds. */
  visibleAt: number;
}

const VISIBILITY_MS = 15_000;
const MOST_AT_ONCE = 10;

/** SQS FIFO: while one message of a group is out or waits, nobody gets another of it. */
export class QueueModel {
  readonly buried: string[] = [];
  readonly #now: () => number;
  readonly #changed: (shard: string) => void;
  readonly #shards = new Map<string, Held[]>();
  readonly #keepsGroups: boolean;
  #count = 0;

  /** @param keepsGroups false: messages of a group pass each other, which only a mutant's queue allows */
  constructor(now: () => number, changed: (shard: string) => void, keepsGroups: boolean) {
    this.#now = now;
    this.#keepsGroups = keepsGroups;
    this.#changed = changed;
  }

  send(shard: string, body: ShardMessage, lane: Lane): void {
    this.#count += 1;
    const [id, group] = [`message-${this.#count}`, `${body.session}#${lane}`];
    this.#of(shard).push({ id, group, body, receipt: '', receiveCount: 0, visibleAt: 0 });
    this.#changed(shard);
  }

  take(shard: string): readonly ReceivedShardMessage[] {
    const now = this.#now();
    const out = new Set(
      this.#of(shard)
        .filter(({ visibleAt }) => visibleAt > now)
        .map(({ group }) => group),
    );
    const isFree = ({ group, visibleAt }: Held) => (this.#keepsGroups ? !out.has(group) : visibleAt <= now);
    const ready = this.#of(shard).filter(isFree);
    return ready.slice(0, MOST_AT_ONCE).map((message) => {
      this.#count += 1;
      message.receipt = `receipt-${this.#count}`;
      message.receiveCount += 1;
      message.visibleAt = now + VISIBILITY_MS;
      const { body, receipt, id, receiveCount } = message;
      return { body, receipt, messageId: id, receiveCount };
    });
  }

  /** When something may become receivable; undefined when nothing is there. */
  nextVisible(shard: string): number | undefined {
    const times = this.#of(shard).map(({ visibleAt }) => visibleAt);
    return times.length === 0 ? undefined : Math.min(...times.filter((at) => at > this.#now()));
  }

  bodyOf(shard: string, receipt: string): ShardMessage | undefined {
    return this.#of(shard).find((message) => message.receipt === receipt)?.body;
  }

  done(shard: string, receipt: string): void {
    this.#remove(shard, (message) => message.receipt === receipt);
  }

  postpone(shard: string, receipt: string, seconds: number): void {
    const message = this.#of(shard).find((candidate) => candidate.receipt === receipt);
    if (message !== undefined) message.visibleAt = this.#now() + seconds * 1000;
    this.#changed(shard);
  }

  /** A fault: the newest message is gone. @returns what it was */
  lose(shard: string): ShardMessage | undefined {
    const lost = this.#of(shard).at(-1);
    if (lost !== undefined) this.#remove(shard, (message) => message === lost);
    return lost?.body;
  }

  size(shard: string): number {
    return this.#of(shard).length;
  }

  #remove(shard: string, isMeant: (message: Held) => boolean): void {
    this.#shards.set(
      shard,
      this.#of(shard).filter((message) => !isMeant(message)),
    );
    this.#changed(shard);
  }

  #of(shard: string): Held[] {
    const messages = this.#shards.get(shard) ?? [];
    this.#shards.set(shard, messages);
    return messages;
  }
}
