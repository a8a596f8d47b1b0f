import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openBody, sealBody } from '#engine-host/sessions/sealed-body.ts';
import { DynamoDbWrappedKeyStore } from '#shared/adapters/dynamodb-wrapped-key-store.ts';
import { createKmsClient } from '#shared/adapters/kms-client.ts';
import { KmsDataKeys, type KmsDataKeysOptions } from '#shared/adapters/kms-data-keys.ts';
import { TABLES } from '#shared/contracts/resources.ts';
import { DependencyError, NotFoundError } from '#shared/domain/errors.ts';
import type { JournalSession } from '#shared/ports/journal-store.ts';
import { type AwsBacking, startAwsBacking } from './aws-backing.ts';
import { defineDataKeysContract } from './data-keys-contract.ts';

const alpha = { name: 'alpha', incarnation: 'inc-1' };
const sibling = { name: 'alpha', incarnation: 'inc-10' };
const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;

describe('KmsDataKeys', () => {
  let aws: AwsBacking;
  let kms: ReturnType<typeof createKmsClient>;
  let table: string;
  let wrappedKeys: DynamoDbWrappedKeyStore;
  let now: number;
  const clock = { now: () => now, monotonic: () => now };
  const provider = (options: Partial<KmsDataKeysOptions> = {}) =>
    new KmsDataKeys({ kms, keyId: 'alias/state', wrappedKeys, clock, ...options });

  beforeAll(async () => {
    aws = await startAwsBacking();
    kms = createKmsClient();
  });
  afterAll(async () => {
    kms.destroy();
    await aws.close();
  });
  beforeEach(async () => {
    table = await aws.createTable(TABLES.dataKeys);
    wrappedKeys = new DynamoDbWrappedKeyStore(aws.clients.dynamo, table);
    now = 1_700_000_000_000;
    aws.kms.refuse = undefined;
    aws.kms.calls.length = 0;
  });

  defineDataKeysContract('KMS', async () => ({
    provider: () => provider(),
    stranger: () => provider({ keyId: 'alias/other' }),
  }));

  it('have their session in what KMS authenticates: another session’s wrapped key is of no use', async () => {
    const { id } = await provider().current(alpha);
    const stored = await wrappedKeys.newest(alpha);
    if (stored === undefined) throw new Error('nothing was stored');
    await wrappedKeys.add(sibling, stored);
    await expect(provider().find(sibling, id)).rejects.toThrow(NotFoundError);
  });

  it('are a session’s own, and the same for its next owner', async () => {
    const first = await provider().current(alpha);
    const next = await provider().current(alpha);
    expect([...next.id]).toEqual([...first.id]);
    expect(Buffer.compare(next.key, first.key)).toBe(0);
    expect(Buffer.compare((await provider().current(sibling)).key, first.key)).not.toBe(0);
    expect(aws.kms.calls).toEqual(['GenerateDataKey', 'Decrypt', 'GenerateDataKey']);
  });

  it('open what was encrypted by another host', async () => {
    const place = { kind: 'changes', session: alpha, lsn: 7, epoch: 3 } as const;
    const sealed = await sealBody(Buffer.from('content'), place, provider());
    expect(Buffer.from(await openBody(sealed, place, provider())).toString()).toBe('content');
    expect(sealed.length).toBeLessThan(64);
  });

  it('are not given out before they are stored', async () => {
    vi.spyOn(wrappedKeys, 'add').mockRejectedValueOnce(new DependencyError('no answer'));
    const keys = provider();
    await expect(keys.current(alpha)).rejects.toThrow(DependencyError);
    expect(await wrappedKeys.newest(alpha)).toBeUndefined();
    const { id, key } = await keys.current(alpha);
    expect(Buffer.compare(await provider().find(alpha, id), key)).toBe(0);
  });

  it('are the stored ones where the answer to the write was lost', async () => {
    const add = wrappedKeys.add.bind(wrappedKeys);
    vi.spyOn(wrappedKeys, 'add').mockImplementationOnce(async (session, key) => {
      await add(session, key);
      throw new DependencyError('the answer was lost');
    });
    const keys = provider();
    await expect(keys.current(alpha)).rejects.toThrow(DependencyError);
    const { id, key } = await keys.current(alpha);
    expect([...id]).toEqual([0, 0, 0, 1]);
    expect(Buffer.compare(await provider().find(alpha, id), key)).toBe(0);
  });

  it('are one key where two owners add one at the same time', async () => {
    const both = Promise.withResolvers<void>();
    let asked = 0;
    const newest = wrappedKeys.newest.bind(wrappedKeys);
    vi.spyOn(wrappedKeys, 'newest').mockImplementation(async (session: JournalSession) => {
      const found = await newest(session);
      asked += 1;
      if (asked === 2) both.resolve();
      await both.promise;
      return found;
    });
    const [a, b] = await Promise.all([provider().current(alpha), provider().current(alpha)]);
    expect([...a.id]).toEqual([...b.id]);
    expect(Buffer.compare(a.key, b.key)).toBe(0);
  });

  it('stay in memory for an hour at most', async () => {
    const keys = provider();
    const { id } = await keys.current(alpha);
    now += HOUR - 1;
    await keys.current(alpha);
    await keys.find(alpha, id);
    expect(aws.kms.calls).toEqual(['GenerateDataKey']);
    now += 1;
    aws.kms.refuse = 'DisabledException';
    await expect(keys.current(alpha)).rejects.toThrow(DependencyError);
    await expect(keys.find(alpha, id)).rejects.toThrow(DependencyError);
    aws.kms.refuse = undefined;
    expect([...(await keys.current(alpha)).id]).toEqual([...id]);
  });

  it('are in memory in a bounded number', async () => {
    const keys = provider({ mostCached: 2 });
    const sessions = ['one', 'two', 'three'].map((incarnation) => ({ name: 'alpha', incarnation }));
    for (const session of sessions) await keys.current(session);
    aws.kms.calls.length = 0;
    for (const session of sessions.slice(1)) await keys.current(session);
    expect(aws.kms.calls).toEqual([]);
    await keys.current({ name: 'alpha', incarnation: 'one' });
    expect(aws.kms.calls).toEqual(['Decrypt']);
  });

  it('are asked of KMS once, however many wait for them', async () => {
    const keys = provider();
    const given = await Promise.all(Array.from({ length: 20 }, () => keys.current(alpha)));
    expect(new Set(given.map(({ key }) => Buffer.from(key).toString('hex'))).size).toBe(1);
    expect(aws.kms.calls).toEqual(['GenerateDataKey']);
  });

  it('are renewed after a week, and the old ones still found', async () => {
    const keys = provider();
    const old = await keys.current(alpha);
    now += WEEK;
    const renewed = await keys.current(alpha);
    expect([[...old.id], [...renewed.id]]).toEqual([
      [0, 0, 0, 1],
      [0, 0, 0, 2],
    ]);
    expect(Buffer.compare(await provider().find(alpha, old.id), old.key)).toBe(0);
    expect([...(await provider().current(alpha)).id]).toEqual([0, 0, 0, 2]);
  });

  it('are gone for good when the session is, and no other session’s are', async () => {
    const keys = provider();
    const { id } = await keys.current(alpha);
    const kept = await keys.current(sibling);
    await keys.forget(alpha);
    await expect(keys.find(alpha, id)).rejects.toThrow(NotFoundError);
    await expect(provider().find(alpha, id)).rejects.toThrow(NotFoundError);
    expect(Buffer.compare(await provider().find(sibling, kept.id), kept.key)).toBe(0);
  });

  it.each(['ThrottlingException', 'AccessDeniedException', 'KMSInvalidStateException', 'NotFoundException'])(
    'may be had later when KMS says %s',
    async (refusal) => {
      const { id } = await provider().current(alpha);
      aws.kms.refuse = refusal;
      for (const ask of [() => provider().find(alpha, id), () => provider().current(sibling)]) {
        await expect(ask()).rejects.toThrow(DependencyError);
        await expect(ask()).rejects.toMatchObject({ retryable: true });
      }
    },
  );
});
