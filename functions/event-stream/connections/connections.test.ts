import { beforeEach, describe, expect, it } from 'vitest';
import { createIdentifyKey } from '#functions/authorizer/identify-key.ts';
import { createNoteUse } from '#functions/authorizer/last-used.ts';
import { MemoryApiKeyStore } from '#shared/adapters/memory/memory-api-key-store.ts';
import { MemoryEventLog } from '#shared/adapters/memory/memory-event-log.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import { MemoryStreamStore } from '#shared/adapters/memory/memory-stream-store.ts';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import { eventId } from '#shared/domain/event-id.ts';
import { KeyPepper } from '#shared/domain/key-pepper.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { sessionRow, waMessage } from '#test/contracts/rows.ts';
import { RecordedStreamQueue } from '../test-support/recorded-stream-queue.ts';
import { createStreamConnections } from './connections.ts';

const NOW = 1_700_000_000_000;
const ID = eventId({ name: 'alpha', incarnation: 'one' }, 'message', NOW, '1');

const pepper = new KeyPepper('the-pepper-of-the-tests');

let streams: MemoryStreamStore;
let queue: RecordedStreamQueue;
let log: MemoryEventLog;
let keys: MemoryApiKeyStore;
let handle: ReturnType<typeof createStreamConnections>;
beforeEach(async () => {
  keys = new MemoryApiKeyStore();
  const put = (key: string, row: Partial<ApiKeyRow>) =>
    keys.create({
      id: pepper.idOf(key) ?? '',
      version: 1,
      name: null,
      hash: pepper.hash(key),
      isAdmin: false,
      isActive: true,
      session: null,
      actions: ['read'],
      createdAt: 0,
      ...row,
    });
  await put('reads', {});
  await put('admin', { isAdmin: true, actions: [] });
  await put('mine', { session: 'alpha', incarnation: 'inc-1' });
  await put('sends', { actions: ['send'] });
  await put('revoked', { isActive: false });
  streams = new MemoryStreamStore();
  queue = new RecordedStreamQueue();
  log = new MemoryEventLog();
  const sessions = new MemorySessionStore();
  await sessions.create(sessionRow());
  const clock = { now: () => NOW };
  const identify = createIdentifyKey({ keys, sessions, readPepper: async () => pepper, clock });
  const noteUse = createNoteUse({ keys, clock, logger: { warn: () => {} } });
  handle = createStreamConnections({ identify, noteUse, seqs: log, streams, queue, clock });
});

const context = (eventType: string) => ({
  eventType,
  connectionId: 'c1',
  domainName: 'streams.example.com',
  stage: 'ws',
});
const connect = async (query: Record<string, string[]> = {}, key = 'reads') =>
  (
    await handle({
      headers: { 'x-api-key': key },
      multiValueQueryStringParameters: query,
      requestContext: context('CONNECT'),
    })
  ).statusCode;

describe('a handshake', () => {
  it.each([
    ['no key', {}, '', 401],
    ['an unknown key', {}, 'wrong', 401],
    ['a revoked key', {}, 'revoked', 401],
    ['a key that does not read', {}, 'sends', 403],
    ['a key for another session', { session: ['beta'] }, 'mine', 403],
    ['a key for one of the sessions', { session: ['alpha', 'beta'] }, 'mine', 403],
    ['what is no session', { session: ['a b'] }, 'reads', 400],
    ['what is no event', { events: ['message', 'ä'] }, 'reads', 400],
    ['what is no id', { since: ['1'] }, 'reads', 400],
    [
      'too many',
      {
        since: Array.from({ length: 201 }, (_, index) =>
          eventId({ name: 'a', incarnation: 'b' }, 'message', index, ''),
        ),
      },
      'reads',
      400,
    ],
  ])('with %s is refused', async (_what, query, key, status) => {
    expect(await connect(query, key)).toBe(status);
    expect(await streams.get('c1')).toBeUndefined();
    expect([...queue.tasks, ...queue.later]).toEqual([]);
  });

  it('is a use of its key, unless that key is refused', async () => {
    await connect({}, 'reads');
    await connect({}, 'revoked');
    const rows = await keys.list();
    expect(rows.filter(({ lastUsedAt }) => lastUsedAt !== undefined)).toMatchObject([
      { id: pepper.idOf('reads'), lastUsedAt: NOW },
    ]);
  });

  it.each([
    [{}, 'reads', ['*'], ['*']],
    [
      { session: ['alpha', 'beta,alpha'], events: ['message', 'message.ack,message'] },
      'admin',
      ['alpha', 'beta'],
      ['message', 'message.ack'],
    ],
    [{ session: ['alpha', '*'] }, 'reads', ['*'], ['*']],
    [{ session: ['*'] }, 'mine', ['alpha'], ['*']],
    [{ session: ['alpha'] }, 'mine', ['alpha'], ['*']],
  ])('with %j and the key %s opens a stream', async (query, key, sessions, events) => {
    expect(await connect(query, key)).toBe(200);
    expect(await streams.get('c1')).toEqual({
      connectionId: 'c1',
      endpoint: 'https://streams.example.com/ws',
      keyId: pepper.idOf(key),
      keyHash: pepper.hash(key),
      sessions,
      events,
      openedAt: NOW,
      heartbeatAt: NOW + 30_000,
    });
    expect(queue.later).toEqual([[{ kind: 'heartbeat', connectionId: 'c1', at: NOW + 30_000 }, 30]]);
  });

  it('takes the key from the query too', async () => {
    const event = { queryStringParameters: { 'x-api-key': 'reads' }, requestContext: context('CONNECT') };
    expect(await handle(event)).toEqual({ statusCode: 200 });
  });
});

describe('a stream', () => {
  it('begins behind what its sessions have, and looks once for what came meanwhile', async () => {
    const event = eventEnvelope({ event: 'message', payload: waMessage({ id: 'AAAAA1' }) }, { id: ID, seq: 41 });
    await log.append([event]);
    await connect({ session: ['alpha', 'beta'] });
    expect(await streams.cursor('c1', 'alpha')).toBe(41);
    expect(await streams.cursor('c1', 'beta')).toBe(0);
    expect(queue.tasks).toEqual([
      { kind: 'session', connectionId: 'c1', session: 'alpha' },
      { kind: 'session', connectionId: 'c1', session: 'beta' },
    ]);
  });

  it('with `since` begins when its place is found', async () => {
    await connect({ session: ['alpha'], since: [ID] });
    expect(await streams.get('c1')).toMatchObject({ since: [ID] });
    expect(await streams.cursor('c1', 'alpha')).toBeUndefined();
    expect(queue.tasks).toEqual([{ kind: 'opened', connectionId: 'c1' }]);
  });

  it('is forgotten when its connection ends, and says nothing to messages', async () => {
    await connect({ session: ['alpha'] });
    expect(await handle({ requestContext: context('MESSAGE'), body: '{}' })).toEqual({ statusCode: 200 });
    expect(await streams.readersOf('alpha')).toEqual(['c1']);
    expect(await handle({ requestContext: context('DISCONNECT') })).toEqual({ statusCode: 200 });
    expect(await streams.readersOf('alpha')).toEqual([]);
  });
});
