import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type StreamTask, streamMessageSchema } from '#shared/contracts/event-stream.ts';
import type { Logger } from '#shared/observability/logger.ts';
import type { StreamQueue, StreamStore } from '#shared/ports/event-stream.ts';

export interface StreamFanoutDeps {
  readonly streams: Pick<StreamStore, 'readersOf'>;
  readonly queue: Pick<StreamQueue, 'send'>;
  readonly logger: Pick<Logger, 'warn'>;
}

interface News {
  /** Of all events that it stands for. */
  readonly ids: readonly string[];
  readonly seq: number | undefined;
}

/**
 * Wakes the streams that may care for a batch of bus events, and passes on tasks whose time has come. A message that cannot be read
 * is reported as failed and ends on the dead-letter queue.
 *
 * @throws what store and queue throw: then all of the batch comes again
 */
export function createStreamFanout({ streams, queue, logger }: StreamFanoutDeps) {
  return async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
    const failed: string[] = [];
    const timers: { readonly task: StreamTask; readonly cause: string }[] = [];
    const news = new Map<string, News>();
    for (const record of Records) {
      const read = readRecord(record);
      if (read === undefined) failed.push(record.messageId);
      else if ('timer' in read) timers.push({ task: read.timer, cause: record.messageId });
      // A replay is for rules of the user's: the log has had these events all the time.
      else if (read['replay-name'] === undefined) {
        const { session, seq } = read.detail;
        const known = news.get(session);
        news.set(session, { ids: [...(known?.ids ?? []), read.id], seq: earlier(known?.seq, seq) });
      }
    }
    if (failed.length > 0) logger.warn({ messages: failed }, 'messages not understood');
    const wakeUps = await Promise.all(
      [...news].map(async ([session, { ids, seq }]) => {
        const readers = await streams.readersOf(session);
        // Events that come again in other company may ask for something that the first batch did not.
        const cause = ids.toSorted().join(' ');
        return readers.map((connectionId) => ({
          task: { kind: 'session' as const, connectionId, session, ...(seq !== undefined && { seq }) },
          cause,
        }));
      }),
    );
    await queue.send([...timers, ...wakeUps.flat()]);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

function readRecord({ body }: SQSRecord) {
  return streamMessageSchema.safeParse(parsedJson(body)).data;
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined) return other;
  return other === undefined ? one : Math.min(one, other);
}

/** The value in a JSON text, undefined when it is none. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
