import { GetQueueUrlCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { DynamoDbEventLog } from '#shared/adapters/dynamodb-event-log.ts';
import { DynamoDbEventSeqs } from '#shared/adapters/dynamodb-event-seqs.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { DynamoDbTable } from '#shared/adapters/dynamodb-table.ts';
import { EventBridgeEventBus } from '#shared/adapters/event-bridge-event-bus.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import { SqsShardQueue } from '#shared/adapters/sqs-shard-queue.ts';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import { TABLES } from '#shared/contracts/resources.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { eventId } from '#shared/domain/event-id.ts';
import { type AwsBacking, startAwsBacking } from './aws-backing.ts';
import { envelopeOf } from './event-bridge-stub.ts';
import { eventEnvelope } from './events.ts';
import { storeTheLargest } from './message-store-contract.ts';
import { waMessage } from './rows.ts';

const ruleEventSchema = z.object({ detail: z.unknown() });

describe('what only AWS adapters do', () => {
  let aws: AwsBacking;
  beforeAll(async () => {
    aws = await startAwsBacking();
  });
  afterAll(() => aws?.close());

  // The local table counts characters where DynamoDB counts bytes.
  it('has no item above 400 KB for the largest message', async () => {
    const table = await aws.createTable(TABLES.messages);
    await storeTheLargest(new DynamoDbMessageStore(aws.clients.dynamo, table));
    const items = await new DynamoDbTable(aws.clients.dynamo, table).scan();
    const bytes = items.map((item) => Buffer.byteLength(JSON.stringify(item)));
    expect(bytes).toHaveLength(32);
    expect(Math.max(...bytes)).toBeLessThan(300 * 1024);
  });

  it('buries what it cannot read, and gives what is behind it', async () => {
    const [shard, deadLetterQueue] = await Promise.all([aws.createFifoQueue(), aws.createFifoQueue()]);
    const queue = new SqsShardQueue(aws.clients.sqs, { queueName: (name) => name, deadLetterQueue });
    const { QueueUrl } = await aws.clients.sqs.send(new GetQueueUrlCommand({ QueueName: shard }));
    const sent = { QueueUrl, MessageGroupId: 'alpha' };
    for (const [id, MessageBody] of ['no JSON', '{"kind":"unknown"}'].entries()) {
      await aws.clients.sqs.send(new SendMessageCommand({ ...sent, MessageBody, MessageDeduplicationId: String(id) }));
    }
    await queue.send(shard, { kind: 'job', session: 'alpha', jobId: '1' }, 'sends', '1');
    const life = new AbortController();
    const received = [];
    while (received.length < 1) received.push(...(await queue.receive(shard, life.signal)));
    expect(received).toMatchObject([{ body: { jobId: '1' } }]);
    const dead = [...(await aws.takeAll(deadLetterQueue)), ...(await aws.takeAll(deadLetterQueue))];
    expect(dead).toEqual([
      { body: 'no JSON', reason: 'unreadable' },
      { body: '{"kind":"unknown"}', reason: 'unreadable' },
    ]);
  });

  it('gives files under their names', async () => {
    const media = new S3MediaStore(aws.clients.s3, await aws.createBucket());
    await media.put('files/alpha/1', Buffer.from('x'), 'application/pdf', 'Übersicht "2026".pdf');
    const answer = await fetch(await media.presignedUrl('files/alpha/1', 60));
    expect(answer.headers.get('content-type')).toBe('application/pdf');
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="_bersicht _2026_.pdf"; filename*=UTF-8''%C3%9Cbersicht%20%222026%22.pdf`,
    );
  });

  it('does not take a file for deleted that S3 has kept', async () => {
    const media = new S3MediaStore(aws.clients.s3, await aws.createBucket());
    await media.put('files/alpha/1', Buffer.from('x'), 'text/plain');
    const name = 'keeping';
    aws.clients.s3.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const answer = await next(args);
          const Errors = [{ Key: 'files/alpha/1', Code: 'SlowDown' }];
          return commandName === 'DeleteObjectsCommand' ? { ...answer, output: { ...answer.output, Errors } } : answer;
        },
      { name },
    );
    await expect(media.deleteSome('files/alpha/')).rejects.toThrow(DependencyError);
    aws.clients.s3.middlewareStack.remove(name);
    expect(await media.deleteSome('files/alpha/')).toBe(false);
  });

  it('tells a table that is away from everything else', async () => {
    const store = new DynamoDbSessionStore(aws.clients.dynamo, 'no-such-table');
    await expect(store.get('alpha')).rejects.toBeInstanceOf(DependencyError);
    await expect(store.intend('alpha', 'inc-1', {})).rejects.toBeInstanceOf(DependencyError);
  });

  it('brings events through a rule into a queue, large ones by way of the bucket', async () => {
    const { bus: busName, queue } = await aws.createBus();
    const media = new S3MediaStore(aws.clients.s3, await aws.createBucket());
    const bus = new EventBridgeEventBus(aws.clients.eventBridge, media, busName);
    const bodies = new Map([
      ['SMALL1', 'Grüße'],
      ['LARGE1', 'ü'.repeat(150_000)],
      ['HALF01', 'x'.repeat(150_000)],
      ['HALF02', 'y'.repeat(150_000)],
    ]);
    const events = [...bodies].map(([id, body]) =>
      eventEnvelope({ event: 'message.any', payload: waMessage({ id, body }) }, { id: `evt_${id}` }),
    );
    expect(await bus.publish(events)).toEqual([]);
    const arrived = new Map<string, EventEnvelope>();
    while (arrived.size < events.length) {
      for (const { body } of await aws.takeAll(queue)) {
        const event = await envelopeOf(ruleEventSchema.parse(JSON.parse(body)).detail, media);
        arrived.set(event.id, event);
      }
    }
    for (const event of events) expect(arrived.get(event.id)).toEqual(event);
  });

  it('looks for where an event was told first no further back than it can be, also where WhatsApp’s clock is ahead', async () => {
    const tableName = await aws.createTable(TABLES.eventLog);
    const day = 86_400_000;
    let now = 1_700_000_000_000;
    const media = new S3MediaStore(aws.clients.s3, 'none');
    const log = new DynamoDbEventLog(aws.clients.dynamo, media, { tableName, clock: { now: () => now } });
    const tell = async (seq: number, id = `evt_${seq}`) =>
      await log.append([eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAAA1' }) }, { id, seq })]);
    for (let seq = 1; seq <= 20; seq += 1) await tell(seq);
    now += day;
    const id = eventId({ name: 'alpha', incarnation: 'inc-1' }, 'message.any', now + 60_000, 'AAAAA1');
    await tell(21, id);
    await tell(22);
    await tell(1_001, id);
    const seqs = new DynamoDbEventSeqs(aws.clients.dynamo, tableName, 10);
    expect(await seqs.findSome('alpha', [id], 'first')).toEqual({ found: new Map([[id, { seq: 21, loggedAt: now }]]) });
  });

  it('carries hundreds of calls at a time', async () => {
    const bucket = await aws.createBucket();
    const media = new S3MediaStore(aws.clients.s3, bucket);
    const keys = Array.from({ length: 300 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => media.put(key, Buffer.from(key), 'text/plain')));
    expect(await Promise.all(keys.map((key) => media.exists(key)))).not.toContain(false);
  });
});
