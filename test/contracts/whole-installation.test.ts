import { HeadObjectCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#localstack/demo/until.ts';
import { DynamoDbWholeTable } from '#shared/adapters/dynamodb-whole-table.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import { S3WholeBucket } from '#shared/adapters/s3-whole-bucket.ts';
import { TABLES } from '#shared/contracts/resources.ts';
import { NotFoundError } from '#shared/domain/errors.ts';
import type { Row, Segment, WholeBucket, WholeTable } from '#shared/ports/whole-installation.ts';
import { itNeeds } from '../target/needs.ts';
import { type AwsBacking, startAwsBacking } from './aws-backing.ts';

let aws: AwsBacking;
beforeAll(async () => {
  aws = await startAwsBacking();
});
afterAll(() => aws?.close());

async function rowsOf(table: WholeTable, segment?: Segment): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const page of table.pages(segment)) rows.push(...page);
  return rows;
}

const byNumber = (rows: readonly Row[]) => rows.toSorted((a, b) => Number(a.lsn) - Number(b.lsn));

describe('a whole table', () => {
  it('takes rows in place of others, and gives each exactly once, in as many parts as are wanted', async () => {
    const table = new DynamoDbWholeTable(aws.clients.dynamo, await aws.createTable(TABLES.journal));
    const rows = Array.from({ length: 60 }, (_, lsn) => ({
      session: `session ${lsn % 9}`,
      lsn,
      body: Uint8Array.of(lsn),
      nested: { list: [lsn, null, ''], on: true },
    }));
    await table.put(rows.map((row) => ({ ...row, nested: 'before' })));
    await table.put(rows);
    expect(await table.count()).toBe(60);
    expect(byNumber(await rowsOf(table))).toEqual(rows);
    const parts = await Promise.all([0, 1, 2].map((index) => rowsOf(table, { index, of: 3 })));
    expect(byNumber(parts.flat())).toEqual(rows);
  });

  it('that is not there is told as such', async () => {
    const table = new DynamoDbWholeTable(aws.clients.dynamo, 'no-such-table');
    await expect(rowsOf(table)).rejects.toThrow(new NotFoundError('There is no table no-such-table'));
    await expect(table.count()).rejects.toBeInstanceOf(NotFoundError);
  });
});

async function keysOf(bucket: WholeBucket, at?: number): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of bucket.objects(at)) keys.push(key);
  return keys.toSorted();
}

describe('a whole bucket', () => {
  const KEYS = ['files/alpha/a.jpg', 'files/über uns/100%+1?.png', 'checkpoints/alpha/one/0000000000000001-0000000001'];

  it('takes objects of another one, with all that is stored with them', async () => {
    const [from, to] = [await aws.createBucket(), await aws.createBucket()];
    const store = new S3MediaStore(aws.clients.s3, from);
    for (const [index, key] of KEYS.entries()) await store.put(key, Buffer.alloc(index + 1, key), 'image/png', 'ü.png');
    const [source, target] = [new S3WholeBucket(aws.clients.s3, from), new S3WholeBucket(aws.clients.s3, to)];
    for await (const object of source.objects()) await target.take(from, object);
    expect(await keysOf(target)).toEqual(KEYS.toSorted());
    for (const [index, Key] of KEYS.entries()) {
      const copy = await new S3MediaStore(aws.clients.s3, to).get(Key);
      expect(Buffer.from(copy.body).equals(Buffer.alloc(index + 1, Key))).toBe(true);
      const [before, after] = await Promise.all(
        [from, to].map((Bucket) => aws.clients.s3.send(new HeadObjectCommand({ Bucket, Key }))),
      );
      expect(after?.ContentType).toBe('image/png');
      expect(after?.ContentDisposition).toBe(before?.ContentDisposition);
    }
  });

  itNeeds('objectVersions', 'is as it was at a time', async () => {
    const Bucket = await aws.createBucket();
    const { s3 } = aws.clients;
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const [bucket, store] = [new S3WholeBucket(s3, Bucket), new S3MediaStore(s3, Bucket)];
    await store.put('files/a', Buffer.from('old'), 'text/plain');
    await store.put('files/b', Buffer.from('old'), 'text/plain');
    const timeOf = async (Key: string) =>
      (await s3.send(new HeadObjectCommand({ Bucket, Key }))).LastModified?.getTime() ?? 0;
    // The end of the second: S3 tells whole ones, of its own clock.
    const at = (await timeOf('files/b')) + 999;
    await until('another second', async () => {
      await store.put('files/clock', Buffer.from('tick'), 'text/plain');
      return (await timeOf('files/clock')) > at ? true : undefined;
    });
    await store.put('files/a', Buffer.from('newer'), 'text/plain');
    await store.put('files/c', Buffer.from('newer'), 'text/plain');
    await store.deleteSome('files/b');
    expect(await keysOf(bucket)).toEqual(['files/a', 'files/c', 'files/clock']);
    expect((await keysOf(bucket, at)).filter((key) => key !== 'files/clock')).toEqual(['files/a', 'files/b']);
    const to = await aws.createBucket();
    for await (const object of bucket.objects(at)) await new S3WholeBucket(s3, to).take(Bucket, object);
    expect(Buffer.from((await new S3MediaStore(s3, to).get('files/a')).body).toString()).toBe('old');
  });
});
