import { beforeEach, describe, expect, it } from 'vitest';
import type { WebhookTimer } from '#shared/contracts/webhook-rows.ts';
import { DependencyError, NotFoundError } from '#shared/domain/errors.ts';
import type { WebhookQueue } from '#shared/ports/webhook-queue.ts';
import type { Row, Segment, StoredObject, WholeBucket, WholeTable } from '#shared/ports/whole-installation.ts';
import { IncompleteCopyError } from './copying.ts';
import { type Buckets, RestoreRefusedError, restoreInstallation, type Tables } from './restore-installation.ts';

const NOW = 1_000_000_000_000;
const SECOND = 1_000;

class MemoryTable implements WholeTable {
  readonly name: string;
  readonly #key: readonly string[];
  readonly rows = new Map<string, Row>();
  /** Rows that get lost on their way. */
  loses: (row: Row) => boolean = () => false;

  constructor(name: string, ...key: readonly string[]) {
    this.name = name;
    this.#key = key;
  }

  get all(): readonly Row[] {
    return [...this.rows.values()];
  }

  async *pages({ index, of }: Segment = { index: 0, of: 1 }): AsyncGenerator<readonly Row[]> {
    yield this.all.filter((_row, at) => at % of === index);
  }

  async put(rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      if (!this.loses(row)) this.rows.set(this.#key.map((name) => String(row[name])).join('|'), row);
    }
  }

  async count(): Promise<number> {
    return this.rows.size;
  }
}

class MemoryBucket implements WholeBucket {
  readonly name: string;
  /** Sizes. */
  readonly held = new Map<string, number>();
  readonly taken: string[] = [];
  askedFor: number | undefined;

  constructor(name: string, keys: readonly string[] = []) {
    this.name = name;
    for (const key of keys) this.held.set(key, key.length);
  }

  async *objects(at?: number): AsyncGenerator<StoredObject> {
    this.askedFor = at;
    for (const [key, bytes] of this.held) yield { key, bytes };
  }

  async take(from: string, { key, bytes }: StoredObject): Promise<void> {
    this.taken.push(`${from}/${key}`);
    this.held.set(key, bytes);
  }
}

class MemoryWakes implements WebhookQueue {
  readonly woken: Parameters<WebhookQueue['wake']>[0][number][] = [];
  readonly timers: WebhookTimer[] = [];
  isThere = true;

  async wake(wakes: Parameters<WebhookQueue['wake']>[0]): Promise<void> {
    if (!this.isThere) throw new DependencyError('There is no queue');
    this.woken.push(...wakes);
  }

  async wakeAt(timer: WebhookTimer): Promise<void> {
    this.timers.push(timer);
  }
}

function installation(name: string) {
  return {
    hosts: new MemoryTable(`${name}-hosts`, 'hostId'),
    tables: {
      sessions: new MemoryTable(`${name}-sessions`, 'name'),
      shards: new MemoryTable(`${name}-shards`, 'shard'),
      jobs: new MemoryTable(`${name}-jobs`, 'session', 'jobId'),
      messages: new MemoryTable(`${name}-messages`, 'session', 'id'),
      chats: new MemoryTable(`${name}-chats`, 'session', 'chatId'),
      apiKeys: new MemoryTable(`${name}-keys`, 'id'),
      audit: new MemoryTable(`${name}-audit`, 'month', 'place'),
      journal: new MemoryTable(`${name}-journal`, 'session', 'lsn'),
      dataKeys: new MemoryTable(`${name}-data-keys`, 'session', 'number'),
      eventLog: new MemoryTable(`${name}-event-log`, 'session', 'place'),
      webhookEndpoints: new MemoryTable(`${name}-webhook-endpoints`, 'session', 'endpointId'),
      webhookDeliveries: new MemoryTable(`${name}-webhook-deliveries`, 'endpoint', 'seq'),
    } satisfies Tables,
    buckets: { state: new MemoryBucket(`${name}-state`), media: new MemoryBucket(`${name}-media`) } satisfies Buckets,
  };
}

const session = (changes: Row = {}): Row => ({
  name: 'alpha',
  incarnation: 'one',
  shard: 'socket-01',
  epoch: 7,
  hostId: 'host-1',
  status: 'WORKING',
  ...changes,
});
const host = (changes: Row = {}): Row => ({
  hostId: 'host-1',
  incarnation: 'a',
  pool: 'socket',
  rvn: 5,
  state: 'ACTIVE',
  startedAt: 1,
  ttl: 1,
  ...changes,
});
const shard = (id: string, epoch: number, owner: string | null = null): Row => ({
  shard: id,
  epoch,
  owner,
  ownerIncarnation: owner === null ? null : 'a',
});
const EPOCH = 1_009;

let source: ReturnType<typeof installation>;
let target: ReturnType<typeof installation> & { readonly webhooks: MemoryWakes };
let whilePaused: () => Promise<void>;

beforeEach(async () => {
  source = installation('old');
  target = { ...installation('new'), webhooks: new MemoryWakes() };
  whilePaused = async () => {};
  await source.tables.sessions.put([session()]);
  await source.tables.shards.put([shard('socket-00', 9, 'host-1'), shard('socket-01', 7, 'host-1')]);
  for (let lsn = 1; lsn <= 20; lsn += 1)
    await source.tables.journal.put([{ session: 'alpha#one', lsn, epoch: 7, body: Uint8Array.of(lsn) }]);
  await target.tables.apiKeys.put([{ id: 'its own administrator' }]);
});

const restore = (changes: { readonly at?: number; readonly withMedia?: boolean; readonly restore?: string } = {}) =>
  restoreInstallation({
    backup: { ...source, at: changes.at },
    target,
    withMedia: changes.withMedia ?? true,
    restore: changes.restore ?? 'first',
    now: () => NOW,
    pause: () => whilePaused(),
    report: () => {},
  });

describe('a restore', () => {
  it('brings every row over, and tells of sessions that they come from a backup', async () => {
    await source.tables.apiKeys.put([{ id: 'a caller' }]);
    await source.tables.chats.put([{ session: 'alpha', chatId: 'c' }]);
    await source.tables.dataKeys.put([{ session: 'alpha#one', number: 1, wrapped: Uint8Array.of(1) }]);
    expect(await restore()).toEqual({ sessions: 1, lastShard: 'socket-01' });
    expect(target.tables.sessions.all).toMatchObject([{ name: 'alpha', incarnation: 'one', restored: 'first' }]);
    for (const id of ['journal', 'dataKeys', 'chats'] as const)
      expect(new Set(target.tables[id].all), id).toEqual(new Set(source.tables[id].all));
    expect(target.tables.apiKeys.all).toEqual([{ id: 'its own administrator' }, { id: 'a caller' }]);
  });

  it('says of no session that it works, before a host has it', async () => {
    const failed = { name: 'failed', status: 'FAILED', statusReason: 'logged-out' };
    await source.tables.sessions.put([
      session({ statusReason: 'hand-over', qr: { value: 'old', expiresAt: 1 } }),
      session(failed),
      session({ name: 'stopped', status: 'STOPPED' }),
    ]);
    await restore();
    const here = { hostId: null, qr: null, restored: 'first' };
    expect(new Set(target.tables.sessions.all)).toEqual(
      new Set([
        session({ ...here, status: 'STARTING' }),
        session({ ...here, ...failed }),
        session({ ...here, name: 'stopped', status: 'STOPPED' }),
      ]),
    );
  });

  it('leaves shards free, under an epoch above all that were, and no hosts', async () => {
    await restore();
    expect(target.tables.shards.all).toEqual([shard('socket-00', EPOCH), shard('socket-01', EPOCH)]);
    expect(target.hosts.all).toEqual([]);
  });

  it('lets the reconciler wake jobs as if it never had, whatever their state', async () => {
    const job = { session: 'alpha', state: 'QUEUED', openShard: 'socket-01', epoch: 7 };
    await source.tables.jobs.put([
      { ...job, jobId: 'a', wokenAt: NOW, wakes: 3 },
      { ...job, jobId: 'b', state: 'PREPARED', content: 'YQ==' },
    ]);
    await restore();
    expect(new Set(target.tables.jobs.all)).toEqual(
      new Set([
        { ...job, jobId: 'a' },
        { ...job, jobId: 'b', state: 'PREPARED', content: 'YQ==' },
      ]),
    );
  });

  it('wakes webhooks when all is there, and has what waits for another try due at once', async () => {
    const delivery = { endpoint: 'alpha#wh_1#1', seq: 5, attempts: 3 };
    await source.tables.webhookDeliveries.put([
      { ...delivery, state: 'RETRYING', dueAt: NOW + 60_000, retryAt: NOW + 60_000 },
      { ...delivery, seq: 6, state: 'RETRYING', dueAt: NOW - 1, retryAt: NOW - 1 },
      { ...delivery, seq: 7, state: 'FAILED', dueAt: NOW + 60_000 },
    ]);
    await source.tables.webhookEndpoints.put([
      { session: 'alpha', endpointId: 'wh_1', cursor: 7 },
      { session: 'alpha', endpointId: 'wh_2', cursor: 7, nextTryAt: NOW },
      { session: 'alpha', endpointId: 'wh_3', cursor: 7, nextTryAt: NOW + 1 },
    ]);
    target.webhooks.isThere = false;
    await expect(restore()).rejects.toBeInstanceOf(DependencyError);
    expect(target.tables.sessions.all).toHaveLength(1);
    target.webhooks.isThere = true;
    await restore({ restore: 'second' });
    expect(target.webhooks.woken).toEqual(
      ['wh_1', 'wh_2'].map((endpointId) => ({ wake: { session: 'alpha', endpointId }, cause: 'restored second' })),
    );
    expect(target.webhooks.timers).toEqual([{ session: 'alpha', endpointId: 'wh_3', dueAt: NOW + 1 }]);
    expect(target.tables.webhookDeliveries.all.map(({ seq, dueAt, retryAt }) => [seq, dueAt, retryAt])).toEqual([
      [5, NOW, NOW],
      [6, NOW - 1, NOW - 1],
      [7, NOW + 60_000, undefined],
    ]);
  });

  it('names its own bucket in messages with media, also in what they reply to and what came later', async () => {
    const media = (Bucket: string) => ({ url: '/api/files/a', s3: { Bucket, Key: 'files/alpha/a' } });
    const message = (bucket: string) => ({
      media: media(bucket),
      replyTo: { media: media(bucket) },
      vCards: ['old-media'],
    });
    await source.tables.messages.put([
      { session: 'alpha', id: 'a', message: message('old-media') },
      { session: 'alpha', id: 'b', message: { media: media('elsewhere') } },
      { session: 'alpha', id: 'c', ack: 3, 'media:x': { at: 1, media: media('old-media') } },
    ]);
    await restore();
    expect(target.tables.messages.rows.get('alpha|a')?.message).toEqual(message('new-media'));
    expect(target.tables.messages.rows.get('alpha|b')?.message).toEqual({ media: media('elsewhere') });
    expect(target.tables.messages.rows.get('alpha|c')).toMatchObject({
      ack: 3,
      'media:x': { media: media('new-media') },
    });
  });

  it('does not bring back what has expired, and does not miss what expires meanwhile', async () => {
    const jobs = [-1, 60].map((seconds) => ({ session: 'alpha', jobId: `${seconds}`, ttl: NOW / SECOND + seconds }));
    await source.tables.jobs.put(jobs);
    target.tables.jobs.loses = ({ jobId }) => jobId === '60';
    await restore();
    expect(target.tables.jobs.all).toEqual([]);
  });

  it('copies objects of the time that is wanted, and media only where they are', async () => {
    source.buckets.state.held.set('checkpoints/a', 3);
    source.buckets.media.held.set('files/b', 3);
    await restore({ at: 5, withMedia: false });
    expect(target.buckets.state.taken).toEqual(['old-state/checkpoints/a']);
    expect(source.buckets.state.askedFor).toBe(5);
    expect(target.buckets.media.taken).toEqual([]);
  });

  it('shows no session before everything of it is there', async () => {
    target.tables.apiKeys.loses = () => true;
    await source.tables.apiKeys.put([{ id: 'a' }, { id: 'b' }]);
    await expect(restore()).rejects.toBeInstanceOf(IncompleteCopyError);
    expect(target.tables.sessions.all).toEqual([]);
    target.tables.apiKeys.loses = () => false;
    source.buckets.state.held.set('checkpoints/a', 3);
    await restore();
    target.buckets.state.taken.splice(0);
    await restore({ restore: 'second' });
    expect(target.tables.sessions.all).toMatchObject([{ restored: 'second' }]);
    expect(target.buckets.state.taken).toEqual([]);
  });
});

describe('a restore is refused', () => {
  const refused = async () => {
    const before = JSON.stringify(target);
    await expect(restore()).rejects.toBeInstanceOf(RestoreRefusedError);
    expect(JSON.stringify(target)).toBe(before);
    expect(target.tables.journal.all).toEqual([]);
  };

  it('while a host of the backup’s installation is alive, also one that has just begun', async () => {
    await source.hosts.put([host()]);
    whilePaused = () => source.hosts.put([host({ rvn: 6 })]);
    await refused();
    await source.hosts.put([host({ rvn: 6 })]);
    whilePaused = () => source.hosts.put([host({ hostId: 'host-2' })]);
    await refused();
  });

  it('but not because of one that is silent or dead, or gone with everything', async () => {
    await source.hosts.put([host(), host({ hostId: 'host-2', state: 'DEAD' })]);
    whilePaused = () => source.hosts.put([host({ hostId: 'host-2', state: 'DEAD', rvn: 9 })]);
    await restore();
    source.hosts.pages = () => {
      throw new NotFoundError('There is no table old-hosts');
    };
    await restore();
  });

  it('where hosts have run', async () => {
    await target.hosts.put([host()]);
    await refused();
  });

  it.each([
    ['taken', shard('socket-00', EPOCH + 1, 'host-1')],
    ['given back', shard('socket-00', EPOCH + 1)],
    ['made', shard('socket-07', 0)],
  ])('where a host has %s a shard and is gone', async (_what, row) => {
    await target.tables.shards.put([row]);
    await refused();
  });

  it.each([session({ name: 'another' }), session({ incarnation: 'two' })])(
    'where there are other sessions',
    async (row) => {
      await target.tables.sessions.put([row]);
      await refused();
    },
  );

  it('when rows are of a later time than the shards', async () => {
    await source.tables.journal.put([{ session: 'alpha#one', lsn: 21, epoch: EPOCH }]);
    await expect(restore()).rejects.toBeInstanceOf(RestoreRefusedError);
    expect(target.tables.sessions.all).toEqual([]);
  });
});
