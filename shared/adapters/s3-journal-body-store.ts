import {
  DeleteObjectsCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { BUCKETS } from '../contracts/resources.ts';
import { DependencyError, NotFoundError } from '../domain/errors.ts';
import type { JournalBodyStore, JournalSession } from '../ports/journal-store.ts';
import { awsErrorName, dependencyError } from './aws-errors.ts';
import { journalBodyKey, journalBodyPrefix, lsnOfBody } from './journal-body-key.ts';

export class S3JournalBodyStore implements JournalBodyStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string = BUCKETS.state) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async put(session: JournalSession, lsn: number, epoch: number, body: Uint8Array): Promise<void> {
    const Key = journalBodyKey(session, lsn, epoch);
    try {
      await this.#client.send(
        new PutObjectCommand({ Bucket: this.#bucket, Key, Body: body, ContentType: 'application/octet-stream' }),
      );
    } catch (error) {
      throw dependencyError('S3 PutObject', error);
    }
  }

  async get(session: JournalSession, lsn: number, epoch: number): Promise<Uint8Array> {
    const Key = journalBodyKey(session, lsn, epoch);
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key }));
      if (Body === undefined) throw new DependencyError('S3 GetObject answered without a body');
      return await Body.transformToByteArray();
    } catch (error) {
      if (awsErrorName(error) === 'NoSuchKey') throw new NotFoundError('The body of a journal record does not exist');
      throw dependencyError('S3 GetObject', error);
    }
  }

  async deleteBelow(session: JournalSession, lsn: number): Promise<void> {
    try {
      const pages = paginateListObjectsV2(
        { client: this.#client },
        { Bucket: this.#bucket, Prefix: journalBodyPrefix(session) },
      );
      for await (const page of pages) {
        const keys = (page.Contents ?? []).flatMap(({ Key }) => Key ?? []).filter((key) => lsnOfBody(key) < lsn);
        if (keys.length === 0) continue;
        const Objects = keys.map((Key) => ({ Key }));
        await this.#client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }));
      }
    } catch (error) {
      throw dependencyError('S3 deletion of journal bodies', error);
    }
  }
}
