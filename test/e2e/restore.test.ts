import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { ApiClient } from '#localstack/demo/api-client.ts';
import { until } from '#localstack/demo/until.ts';
import { createTable } from '#localstack/embedded/resource-creation.ts';
import { DynamoDbWholeTable } from '#shared/adapters/dynamodb-whole-table.ts';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import { type ResourceNames, resourceNames } from '#shared/contracts/resources.ts';
import { shardRowSchema } from '#shared/contracts/rows.ts';
import { type Accepted, readJob, send, untilJob, untilMessage } from '#test/support/api-reads.ts';
import { RecordedEvents } from '#test/support/recorded-events.ts';
import { untilStatus } from '#test/support/running-platform.ts';
import { type Neighbour, type SharedCloud, startSharedCloud } from '#test/support/shared-cloud.ts';
import { addContact, complaints, NO_COMPLAINTS, type SimulatedContact } from '#test/support/simulated-contact.ts';
import { WebhookReceiver } from '#test/support/webhook-receiver.ts';

const SESSIONS = ['shop', 'desk'] as const;
const SHARDS = 4;
const PLATFORM = {
  shards: SHARDS,
  functionEnv: { RECONCILE_AFTER_SECONDS: '0', WEBHOOK_ALLOW_PRIVATE_HOSTS: '127.0.0.1' },
};
const LATE = { timeout: 120_000 };
const PICTURE = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
  .png()
  .toBuffer();

const statsSchema = z.looseObject({
  retries: z.number(),
  decryptionFailures: z.number(),
  counterReuses: z.number(),
});

let cloud: SharedCloud;
let ada: SimulatedContact;
let bob: SimulatedContact;
let group: string;
let receiver: WebhookReceiver;
const phones = new Map<string, string>();
/** Every text that the contact has to read, once each. */
const sentToAda: string[] = [];

beforeAll(async () => {
  cloud = await startSharedCloud();
  ada = await addContact(cloud, 'Ada');
  bob = await addContact(cloud, 'Bob');
  receiver = await WebhookReceiver.start();
});
afterAll(async () => {
  await cloud?.stop();
  await receiver?.down();
});

const namesOf = (name: string): ResourceNames =>
  resourceNames({ RESOURCE_PREFIX: cloud.prefixOf(name), BUCKET_SUFFIX: '' });
const wholeTable = (name: string) => new DynamoDbWholeTable(DynamoDBDocumentClient.from(cloud.clients.dynamodb), name);
const stats = async () => statsSchema.parse(await cloud.whatsapp.stats());
const phoneOf = (session: string) => phones.get(session) ?? '';

async function text({ api }: Neighbour, session: string, words: string, chatId = ada.chatId): Promise<Accepted> {
  sentToAda.push(words);
  return await send(api, 'sendText', { session, chatId, text: words });
}

/** Texts in both directions, with a contact and in the group. */
async function talk(from: Neighbour, events: RecordedEvents, round: string): Promise<void> {
  for (const session of SESSIONS) {
    const sent = await text(from, session, `${round} from ${session}`);
    await ada.received(sent.bareId);
    const id = await ada.send(phoneOf(session), { text: `${round} to ${session}` });
    await heard(events, session, id);
  }
  const sent = await text(from, 'shop', `${round} to all`, group);
  for (const member of [ada, bob]) await member.received(sent.bareId);
  const fromBob = `${round} from Bob`;
  sentToAda.push(fromBob);
  await heard(events, 'shop', await bob.send(group, { text: fromBob }));
}

const heard = (events: RecordedEvents, session: string, id: string) =>
  events.next('message', (event) => event.session === session && event.payload.id.includes(id));

/** The texts that the contact has read, each as often as it appears to have come. */
const textsOf = async (contact: SimulatedContact) => (await contact.inbox()).flatMap(({ text }) => text ?? []);

async function everythingOf(names: ResourceNames): Promise<string> {
  const tables = await Promise.all(
    Object.values(names.tables).map(async (TableName) => {
      const { Items = [] } = await cloud.clients.dynamodb.send(new ScanCommand({ TableName }));
      return [TableName, Items.map((item) => JSON.stringify(item)).sort()] as const;
    }),
  );
  const buckets = await Promise.all(
    Object.values(names.buckets).map(async (Bucket) => {
      const objects: string[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client: cloud.clients.s3 }, { Bucket }))
        objects.push(...Contents.map(({ Key, ETag, LastModified }) => `${Key} ${ETag} ${LastModified?.toISOString()}`));
      return [Bucket, objects] as const;
    }),
  );
  return JSON.stringify([...tables, ...buckets]);
}

/** Somebody's server refuses an event, which waits for another try then. @returns bare id of its message */
async function refuseOne({ api, platform }: Neighbour, session: string): Promise<string> {
  receiver.answer = () => ({ status: 500 });
  await api.raw('PUT', `/api/sessions/${session}`, {
    // Long after the test.
    config: { webhooks: [{ url: receiver.url, events: ['message'], retries: { delaySeconds: 3_600, attempts: 3 } }] },
  });
  const id = await ada.send(phoneOf(session), { text: 'To a server that is away' });
  const deliveries = wholeTable(platform.names.tables.webhookDeliveries);
  await until('the delivery set aside', async () => ((await deliveries.count()) > 0 ? true : undefined));
  receiver.answer = () => ({ status: 200 });
  return id;
}

async function createGroup(): Promise<string> {
  const members = { owner: ada.phone, subject: 'All', participants: [phoneOf('shop'), bob.phone] };
  return z.object({ id: z.string() }).parse(await cloud.whatsapp.post('/admin/groups', members)).id;
}

/**
 * What restores to points in time make: the tables as they are now, under other names. The journal comes before the sessions, so
 * that none is cut behind a checkpoint that its row does not name yet.
 */
async function copyTables(from: ResourceNames, to: ResourceNames): Promise<void> {
  for (const definition of resourceDefinition(SHARDS, to).tables.toReversed()) {
    await createTable(cloud.clients.dynamodb, definition);
    const source = wholeTable(definition.name.replace(to.prefix, from.prefix));
    const copy = wholeTable(definition.name);
    for await (const rows of source.pages()) await copy.put(rows);
  }
}

async function epochsOf(names: ResourceNames): Promise<ReadonlyMap<string, number>> {
  const epochs = new Map<string, number>();
  const table = wholeTable(names.tables.shards);
  for await (const rows of table.pages())
    for (const { shard, epoch } of rows.map((row) => shardRowSchema.parse(row))) epochs.set(shard, epoch);
  return epochs;
}

async function expectNoQrCode(events: RecordedEvents): Promise<void> {
  await events.drain();
  const told = SESSIONS.flatMap((session) => events.of(session, 'session.status'));
  const statuses = told.flatMap((event) => (event.event === 'session.status' ? [event.payload.status] : []));
  expect(new Set(statuses)).toEqual(new Set(['STARTING', 'WORKING']));
}

describe('an installation whose hosts were killed', LATE, () => {
  let first: Neighbour;
  let second: Neighbour;
  let before: RecordedEvents;
  let picture: string;
  let untouched: string;
  let epochs: ReadonlyMap<string, number>;
  let waiting: readonly Accepted[];
  let missed: string;
  let refused: string;

  beforeAll(async () => {
    first = await cloud.install('first', { ...PLATFORM, hosts: 1 });
    before = await RecordedEvents.start(first.platform, 'recorder');
    for (const session of SESSIONS) phones.set(session, await first.pair(session));
    group = await createGroup();
    await talk(first, before, 'First');
    picture = await ada.send(phoneOf('shop'), { image: { data: PICTURE.toString('base64'), mimetype: 'image/png' } });
    await untilMessage(first.api, 'shop', ada.chatId, picture);
    refused = await refuseOne(first, 'desk');
  }, 90_000);

  it('goes on in another one, with its logins and what waited in both directions', async () => {
    const { hosts, names } = first.platform;
    // The host dies with one in hand: it may have left, and nobody says so.
    await cloud.whatsapp.post('/admin/faults', { kind: 'swallow', match: { phone: phoneOf('desk'), tag: 'message' } });
    const inHand = await text(first, 'desk', 'In hand');
    await untilJob(first.api, 'desk', inHand.jobId, ['PREPARED']);
    await hosts.takeDown('host-1', 'SIGKILL');
    await fetch(`${cloud.simulator.adminUrl}/admin/faults`, { method: 'DELETE' });
    const later = [await text(first, 'shop', 'Waits 1'), await text(first, 'shop', 'Waits 2')];
    waiting = [inHand, ...later];
    missed = await ada.send(phoneOf('desk'), { text: 'While nobody listened' });
    await first.platform.stop();
    untouched = await everythingOf(names);
    epochs = await epochsOf(names);

    second = await cloud.install('second', { ...PLATFORM, hosts: 0 });
    const after = await RecordedEvents.start(second.platform, 'recorder');
    const args = ['--from', names.prefix, '--to', second.platform.names.prefix];
    expect(await cloud.restore(...args)).toEqual({ code: 0, output: expect.stringContaining('has 2 sessions') });
    await receiver.message(refused);
    second.platform.hosts.want(1);
    for (const session of SESSIONS) await untilStatus(second.api, session, 'WORKING');
    await heard(after, 'desk', missed);
    await second.platform.cloud.functions.invoke('reconciler', {});
    for (const { bareId } of waiting) await ada.received(bareId);
    await talk(second, after, 'Second');
    expect((await textsOf(ada)).toSorted()).toEqual(sentToAda.toSorted());
    await expectNoQrCode(after);
    expect(await stats()).toMatchObject({ counterReuses: 0, decryptionFailures: 0, retries: 0 });
    expect(await cloud.restore(...args)).toEqual({ code: 1, output: expect.stringContaining('Hosts have run') });
  });

  it('stays as it was, under lower epochs', async () => {
    expect(await everythingOf(first.platform.names)).toBe(untouched);
    const now = await epochsOf(second.platform.names);
    expect(epochs.size).toBe(SHARDS);
    for (const [shard, epoch] of epochs) expect(now.get(shard), shard).toBeGreaterThan(epoch);
  });

  it('takes its callers’ keys along, and its media', async () => {
    const caller = new ApiClient(second.platform.url, first.platform.apiKey);
    const message = await untilMessage(caller, 'shop', ada.chatId, picture);
    expect(message.media?.s3?.Bucket).toBe(second.platform.names.buckets.media);
    const file = await caller.raw('GET', new URL(message.media?.url ?? '').pathname);
    expect(Buffer.from(await file.arrayBuffer()).equals(PICTURE)).toBe(true);
  });

  it('is restored from a backup that is older than what it sent last, and repeats no key', async () => {
    const events = await RecordedEvents.start(second.platform, 'again');
    const backup = cloud.prefixOf('backup');
    await second.api.post('/api/sessions/desk/stop');
    await untilStatus(second.api, 'desk', 'STOPPED');
    const waits = await text(second, 'desk', 'Waits in the backup');
    await copyTables(second.platform.names, namesOf('backup'));
    await second.api.post('/api/sessions/desk/start');
    await ada.received(waits.bareId);
    for (const round of ['Third', 'Fourth']) await talk(second, events, round);
    await second.platform.stop();
    // In ratchets that the backup has never seen.
    const unseen = await ada.send(phoneOf('shop'), { text: 'Since the backup' });
    const unseenInGroup = await bob.send(group, { text: 'Since the backup' });
    sentToAda.push('Since the backup');

    const third = await cloud.install('third', { ...PLATFORM, hosts: 0 });
    const after = await RecordedEvents.start(third.platform, 'recorder');
    const args = ['--from', second.platform.names.prefix, '--tables', backup, '--to', third.platform.names.prefix];
    expect(await cloud.restore(...args)).toEqual({ code: 0, output: expect.stringContaining('has 2 sessions') });
    third.platform.hosts.want(1);
    // It was stopped when the backup was made, and its send had not left.
    expect(await readJob(third.api, 'desk', waits.jobId)).toMatchObject({ state: 'QUEUED' });
    await third.api.post('/api/sessions/desk/start');
    for (const session of SESSIONS) await untilStatus(third.api, session, 'WORKING');
    await third.platform.cloud.functions.invoke('reconciler', {});
    await untilJob(third.api, 'desk', waits.jobId, ['SENT', 'DELIVERED', 'READ']);
    for (const id of [unseen, unseenInGroup]) await heard(after, 'shop', id);
    for (const round of ['Fifth', 'Sixth']) await talk(third, after, round);
    expect((await textsOf(ada)).toSorted()).toEqual(sentToAda.toSorted());
    await expectNoQrCode(after);
    const { counterReuses, retries } = await stats();
    expect(counterReuses).toBe(0);
    // Otherwise the backup was not that old.
    expect(retries).toBeGreaterThan(0);
    expect(await complaints(cloud)).toEqual(NO_COMPLAINTS);
    await third.platform.stop();
  });
});
