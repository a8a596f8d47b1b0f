import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StreamSender } from '#functions/event-stream/sender/sender.ts';
import { dispatch } from '#functions/webhook-dispatcher/dispatcher.ts';
import { DynamoDbEventLog } from '#shared/adapters/dynamodb-event-log.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import { TABLES } from '#shared/contracts/resources.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import { DispatcherWorld, OK, status } from '#test/support/dispatcher-world.ts';
import { event, idOf, news, SenderWorld, START } from '#test/support/stream-sender-world.ts';
import { type AwsBacking, startAwsBacking } from './aws-backing.ts';
import { eventEnvelope } from './events.ts';
import { waMessage } from './rows.ts';

/** Larger than the bus takes. */
const large = (seq: number): EventEnvelope =>
  eventEnvelope(
    { event: 'message', payload: waMessage({ id: 'AAAAA5', body: 'x'.repeat(210_000) }) },
    { id: idOf(5), seq, timestamp: START },
  );

describe('a large event that a next host has told again', () => {
  let aws: AwsBacking;
  beforeAll(async () => {
    aws = await startAwsBacking();
  });
  afterAll(() => aws?.close());

  let media: S3MediaStore;
  let tableName: string;
  let now: number;
  const logOver = (objects: Pick<MediaStore, 'bucket' | 'put' | 'get'>) =>
    new DynamoDbEventLog(aws.clients.dynamo, objects, { tableName, clock: { now: () => now } });
  beforeEach(async () => {
    media = new S3MediaStore(aws.clients.s3, await aws.createBucket());
    tableName = await aws.createTable(TABLES.eventLog);
    now = START;
  });

  /** As hosts of this version store it, or as those before did: under its id alone. */
  const told = async (version: 'now' | 'before') => {
    const alone = (key: string) => key.replace(/-\d+\.json$/, '.json');
    const hosts = logOver(
      version === 'now'
        ? media
        : {
            bucket: media.bucket,
            get: media.get.bind(media),
            put: (key, ...given) => media.put(alone(key), ...given),
          },
    );
    await hosts.append([large(5), event(6), event(7), event(8)]);
    await hosts.append([large(1_005)]);
    if (version === 'now') return logOver(media);
    return logOver({ bucket: media.bucket, put: media.put.bind(media), get: (key) => media.get(alone(key)) });
  };
  const all = [5, 6, 7, 8, 1_005];

  it.each(['now', 'before'] as const)('keeps a slow stream from nothing behind it (stored as %s)', async (version) => {
    const log = await told(version);
    const world = await SenderWorld.create();
    const sender = new StreamSender({ ...world, clock: world.clock, log, media });
    await world.open({}, [['alpha', 4]]);
    world.answers = ['sent', 'busy'];
    await sender.do(news());
    expect(await world.streams.cursor('c1', 'alpha')).toBe(5);
    await sender.do({ kind: 'retry', connectionId: 'c1' });
    expect(world.seqs()).toEqual(all);
    await sender.do(news());
    expect(world.seqs()).toEqual(all);
  });

  it.each(['now', 'before'] as const)('keeps a webhook from nothing behind it (stored as %s)', async (version) => {
    const world = await DispatcherWorld.with();
    now = world.now;
    const log = await told(version);
    const wake = { session: 'alpha', endpointId: world.endpointId };
    let posts = 0;
    world.answer = () => {
      posts += 1;
      if (posts === 1) return status(500);
      // The run has no time for what is behind it.
      if (posts === 2) world.now += 60_000;
      return OK;
    };
    await dispatch(wake, { ...world.deps(), log });
    world.now += 3_600_000;
    for (let turn = 0; turn < 3; turn += 1) await dispatch(wake, { ...world.deps(), log });
    expect(world.posted.map(({ body }) => body.seq).toSorted((a, b) => a - b)).toEqual([5, ...all]);
    expect(await world.deliveries()).toEqual([]);
    expect(await world.row()).toMatchObject({ cursor: 1_005, delivered: 5 });
  });
});
