import { DatabaseSync } from 'node:sqlite';
import type { FauxqsParts, S3Store, SnsStore, SqsPersistence, SqsStore } from './fauxqs-parts.ts';

const DEDUPLICATION_WINDOW_MS = 5 * 60 * 1000;

/** The SQLite write-through of queues and objects, corrected where version 2.4.1 loses something. */
export function openPersistence(parts: FauxqsParts, directory: string): SqsPersistence {
  const persistence = new parts.PersistenceManager(directory);
  const database: unknown = Reflect.get(persistence, 'db');
  if (!(database instanceof DatabaseSync)) throw new Error('fauxqs keeps its database elsewhere than expected.');
  // A write survives the death of the process without a flush to the disk per message.
  database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000');
  // The package's own statement sets a NOT NULL column to null: making a message visible would fail and lose it.
  const makeReady = database.prepare(
    'UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?',
  );
  persistence.updateMessageReady = (messageId) => {
    makeReady.run(messageId);
  };
  return persistence;
}

/** Reads everything back, then lets the stores write through. */
export function restore(
  persistence: SqsPersistence,
  stores: { readonly sqsStore: SqsStore; readonly snsStore: SnsStore; readonly s3Store: S3Store },
): void {
  const { sqsStore, snsStore, s3Store } = stores;
  persistence.load(sqsStore, snsStore, s3Store);
  sqsStore.persistence = persistence;
  snsStore.persistence = persistence;
  s3Store.persistence = persistence;
  for (const queue of sqsStore.allQueues()) {
    queue.persistence = persistence;
    rememberDuplicates(queue);
  }
}

/** The deduplication window is not on disk; the messages still waiting say most of it. */
function rememberDuplicates(queue: ReturnType<SqsStore['createQueue']>): void {
  if (!queue.isFifo()) return;
  const { ready, delayed, inflight } = queue.inspectMessages();
  const oldest = Date.now() - DEDUPLICATION_WINDOW_MS;
  for (const message of [...ready, ...delayed, ...inflight.map((entry) => entry.message)]) {
    if (message.messageDeduplicationId === undefined || message.sentTimestamp < oldest) continue;
    queue.recordDeduplication(message.messageDeduplicationId, message.messageId, message.sequenceNumber);
  }
}
