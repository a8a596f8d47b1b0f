import type { KeyDefinition, TableDefinition } from './resource-shapes.ts';
import { INDEXES, type ResourceNames } from './resources.ts';

const text = (name: string): KeyDefinition => ({ name, type: 'S' });

export function tableDefinitions({ tables }: ResourceNames): readonly TableDefinition[] {
  return [
    {
      name: tables.sessions,
      partitionKey: text('name'),
      indexes: [{ name: INDEXES.sessionsByShard, partitionKey: text('shard'), sortKey: text('name') }],
    },
    {
      name: tables.jobs,
      partitionKey: text('session'),
      sortKey: text('jobId'),
      indexes: [
        {
          name: INDEXES.openJobs,
          partitionKey: text('openShard'),
          sortKey: text('openPlace'),
          attributes: ['messageId', 'createdAt', 'expiresAt', 'wokenAt', 'wakes'],
        },
        {
          name: INDEXES.jobsBySession,
          partitionKey: text('session'),
          sortKey: { name: 'createdAt', type: 'N' },
          attributes: ['state'],
        },
      ],
      ttlAttribute: 'ttl',
    },
    { name: tables.hosts, partitionKey: text('hostId'), ttlAttribute: 'ttl' },
    { name: tables.shards, partitionKey: text('shard') },
    { name: tables.fleets, partitionKey: text('pool') },
    {
      name: tables.messages,
      partitionKey: text('session'),
      sortKey: text('id'),
      indexes: [
        { name: INDEXES.messagesByChat, partitionKey: text('chatKey'), sortKey: text('position') },
        { name: INDEXES.messagesBySession, partitionKey: text('session'), sortKey: text('position') },
      ],
    },
    {
      name: tables.chats,
      partitionKey: text('session'),
      sortKey: text('chatId'),
      indexes: [{ name: INDEXES.chatsByTime, partitionKey: text('session'), sortKey: text('position') }],
    },
    {
      name: tables.apiKeys,
      partitionKey: text('id'),
      indexes: [
        {
          name: INDEXES.keysBySession,
          partitionKey: text('session'),
          sortKey: text('id'),
          attributes: ['incarnation'],
        },
      ],
    },
    { name: tables.audit, partitionKey: text('month'), sortKey: text('place'), ttlAttribute: 'ttl' },
    {
      name: tables.journal,
      partitionKey: text('session'),
      sortKey: { name: 'lsn', type: 'N' },
      ttlAttribute: 'ttl',
    },
    // Where KMS is used. Backups of this table would keep alive what deletion of a session is to make unreadable.
    { name: tables.dataKeys, partitionKey: text('session'), sortKey: { name: 'number', type: 'N' } },
    {
      name: tables.eventLog,
      partitionKey: text('session'),
      sortKey: text('place'),
      ttlAttribute: 'ttl',
    },
    { name: tables.streams, partitionKey: text('group'), sortKey: text('member'), ttlAttribute: 'ttl' },
    { name: tables.webhookEndpoints, partitionKey: text('session'), sortKey: text('endpointId') },
    {
      name: tables.webhookDeliveries,
      partitionKey: text('endpoint'),
      sortKey: { name: 'seq', type: 'N' },
      // What has failed for good, what waits and what is due can each be much more than the others, and is not read with them.
      indexes: [
        {
          name: INDEXES.deliveriesByState,
          partitionKey: text('endpoint'),
          sortKey: text('statePlace'),
          local: true,
        },
        {
          name: INDEXES.dueDeliveries,
          partitionKey: text('endpoint'),
          sortKey: { name: 'retryAt', type: 'N' },
          local: true,
        },
      ],
      ttlAttribute: 'ttl',
    },
  ];
}
