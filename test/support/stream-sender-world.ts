import * as z from 'zod';
import { StreamSender } from '#functions/event-stream/sender/sender.ts';
import { RecordedStreamQueue } from '#functions/event-stream/test-support/recorded-stream-queue.ts';
import { MemoryApiKeyStore } from '#shared/adapters/memory/memory-api-key-store.ts';
import { MemoryEventLog } from '#shared/adapters/memory/memory-event-log.ts';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import { MemoryStreamStore } from '#shared/adapters/memory/memory-stream-store.ts';
import type { StreamTask } from '#shared/contracts/event-stream.ts';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import type { ApiKeyRow, StreamRow } from '#shared/contracts/rows.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { eventId } from '#shared/domain/event-id.ts';
import type { StreamSockets } from '#shared/ports/event-stream.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { streamRow } from '#test/contracts/stream-store-contract.ts';

/** The time at which a world begins, and every event happens. */
export const START = 1_700_000_000_000;
/** Opens the stream `c1`. */
export const KEY: ApiKeyRow = {
  id: 'key_id_1',
  version: 1,
  name: null,
  hash: 'hash',
  isAdmin: false,
  isActive: true,
  session: null,
  actions: ['read'],
  createdAt: 0,
};
const frameSchema = z.looseObject({ event: z.string(), session: z.string().optional(), seq: z.number().optional() });

export const idOf = (seq: number, session = 'alpha') =>
  eventId({ name: session, incarnation: 'one' }, 'message', START, String(seq));
export const event = (seq: number, session = 'alpha', name: 'message' | 'message.any' = 'message'): EventEnvelope =>
  eventEnvelope(
    { event: name, payload: waMessage({ id: `AAAAA${seq}` }) },
    { id: idOf(seq, session), session, seq, timestamp: START },
  );
export const news = (session = 'alpha', seq?: number): StreamTask => ({
  kind: 'session',
  connectionId: 'c1',
  session,
  ...(seq !== undefined && { seq }),
});

/** A sender, all that it needs in memory, and the other end of its stream. */
export class SenderWorld implements StreamSockets {
  #now = START;
  readonly clock = { now: () => this.#now, monotonic: () => this.#now };
  readonly log = new MemoryEventLog(this.clock);
  readonly streams = new MemoryStreamStore();
  readonly queue = new RecordedStreamQueue();
  readonly keys = new MemoryApiKeyStore();
  readonly sessions = new MemorySessionStore();
  readonly media = new MemoryMediaStore();
  readonly logger = { info: () => {} };
  readonly sockets = this;
  readonly sender = new StreamSender(this);
  readonly frames: z.infer<typeof frameSchema>[] = [];
  readonly closed: string[] = [];
  /** How the other end takes the next frames. */
  answers: ('sent' | 'busy' | 'gone' | DependencyError)[] = [];
  /** How long it takes to take one. */
  postMs = 0;

  static async create(): Promise<SenderWorld> {
    const world = new SenderWorld();
    await world.keys.create(KEY);
    return world;
  }

  async post(_stream: StreamRow, text: string): Promise<'sent' | 'busy' | 'gone'> {
    this.pass(this.postMs);
    const answer = this.answers.shift() ?? 'sent';
    if (answer instanceof DependencyError) throw answer;
    if (answer === 'sent') this.frames.push(frameSchema.parse(JSON.parse(text)));
    return answer;
  }

  async close({ connectionId }: StreamRow): Promise<void> {
    this.closed.push(connectionId);
  }

  pass(ms: number): void {
    this.#now += ms;
  }

  /** What the other end has of a session, or of all. */
  seqs(session?: string): readonly number[] {
    return this.frames.flatMap((frame) =>
      session === undefined || frame.session === session ? (frame.seq ?? []) : [],
    );
  }

  async open(
    fields: Partial<StreamRow> = {},
    cursors: readonly (readonly [string, number])[] = [['alpha', 0]],
  ): Promise<void> {
    const row = streamRow({ openedAt: START - 60_000, heartbeatAt: START, ...fields });
    await this.streams.open(row, new Map(cursors));
  }

  async append(...seqs: readonly number[]): Promise<void> {
    await this.log.append(seqs.map((seq) => event(seq)));
  }

  /** Does what is in the queue, and what that puts into it. What fails comes again, in front of all else. */
  async doAll(between: (done: StreamTask) => Promise<void> = async () => {}): Promise<void> {
    const { tasks } = this.queue;
    for (let task = tasks[0]; task !== undefined; task = tasks[0]) {
      try {
        await this.sender.do(task);
      } catch (error) {
        if (!(error instanceof DependencyError)) throw error;
        continue;
      }
      tasks.shift();
      await between(task);
    }
  }
}
