import { LocalDataKeys } from '#shared/adapters/local-data-keys.ts';
import { MemoryApiKeyStore } from '#shared/adapters/memory/memory-api-key-store.ts';
import { MemoryAuditLog } from '#shared/adapters/memory/memory-audit-log.ts';
import { MemoryChatStore } from '#shared/adapters/memory/memory-chat-store.ts';
import { MemoryCheckpointStore } from '#shared/adapters/memory/memory-checkpoint-store.ts';
import { MemoryEventBus } from '#shared/adapters/memory/memory-event-bus.ts';
import { MemoryEventLog } from '#shared/adapters/memory/memory-event-log.ts';
import { MemoryFleetStore } from '#shared/adapters/memory/memory-fleet-store.ts';
import { MemoryJobStore } from '#shared/adapters/memory/memory-job-store.ts';
import { MemoryJournalBodyStore } from '#shared/adapters/memory/memory-journal-body-store.ts';
import { MemoryJournalStore } from '#shared/adapters/memory/memory-journal-store.ts';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import { MemoryMessageStore } from '#shared/adapters/memory/memory-message-store.ts';
import { MemoryOwnershipStore } from '#shared/adapters/memory/memory-ownership-store.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import { MemoryShardQueue } from '#shared/adapters/memory/memory-shard-queue.ts';
import { MemoryStreamStore } from '#shared/adapters/memory/memory-stream-store.ts';
import { MemoryWebhookStore } from '#shared/adapters/memory/memory-webhook-store.ts';
import { defineApiKeyStoreContract } from './api-key-store-contract.ts';
import { defineAuditLogContract } from './audit-log-contract.ts';
import { defineChatStoreContract } from './chat-store-contract.ts';
import { defineCheckpointStoreContract } from './checkpoint-store-contract.ts';
import { defineDataKeysContract } from './data-keys-contract.ts';
import { defineEventBusContract } from './event-bus-contract.ts';
import { defineEventLogContract } from './event-log-contract.ts';
import { defineFleetStoreContract } from './fleet-store-contract.ts';
import { defineJobStoreContract } from './job-store-contract.ts';
import { defineJournalBodyStoreContract } from './journal-body-store-contract.ts';
import { defineJournalStoreContract } from './journal-store-contract.ts';
import { defineMediaStoreContract } from './media-store-contract.ts';
import { defineMessageStoreContract } from './message-store-contract.ts';
import { defineOwnershipStoreContract } from './ownership-store-contract.ts';
import { defineSessionStoreContract } from './session-store-contract.ts';
import { defineShardQueueContract } from './shard-queue-contract.ts';
import { defineStreamStoreContract } from './stream-store-contract.ts';
import { defineWebhookStoreContract } from './webhook-store-contract.ts';

defineSessionStoreContract('memory', async () => new MemorySessionStore());
defineJobStoreContract('memory', async () => new MemoryJobStore());
defineMessageStoreContract('memory', async () => new MemoryMessageStore());
defineChatStoreContract('memory', async () => new MemoryChatStore());
defineApiKeyStoreContract('memory', async () => new MemoryApiKeyStore());
defineAuditLogContract('memory', async () => new MemoryAuditLog());
defineOwnershipStoreContract('memory', async () => new MemoryOwnershipStore());
defineFleetStoreContract('memory', async () => new MemoryFleetStore());
defineCheckpointStoreContract('memory', async () => new MemoryCheckpointStore());
defineJournalStoreContract('memory', async () => new MemoryJournalStore());
defineJournalBodyStoreContract('memory', async () => new MemoryJournalBodyStore());
defineDataKeysContract('local', async () => ({
  provider: () => new LocalDataKeys(new Uint8Array(32).fill(1)),
  stranger: () => new LocalDataKeys(new Uint8Array(32).fill(2)),
}));
defineMediaStoreContract('memory', async () => new MemoryMediaStore());
defineShardQueueContract('memory', async () => {
  const queue = new MemoryShardQueue();
  return { queue, shard: 'socket-00', buried: async () => queue.buried, noticed: async () => {} };
});
defineWebhookStoreContract('memory', async () => new MemoryWebhookStore());
defineEventBusContract('memory', async () => {
  const bus = new MemoryEventBus();
  return {
    bus,
    arrived: async () => bus.events,
    refuse: (what) => bus.refuse(what === 'call' ? what : ({ id }) => id === what.eventId),
  };
});
defineStreamStoreContract('memory', async () => new MemoryStreamStore());
defineEventLogContract('memory', async (clock) => {
  const log = new MemoryEventLog(clock);
  return {
    log,
    refuse: (what) =>
      log.refuse(typeof what === 'string' ? what : ({ session, seq }) => session === what.session && seq === what.seq),
  };
});
