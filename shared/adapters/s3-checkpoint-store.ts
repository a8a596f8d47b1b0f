import {
  DeleteObjectsCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { BUCKETS } from '../contracts/resources.ts';
import type { SessionRow } from '../contracts/rows.ts';
import { ConflictError, DependencyError, NotFoundError } from '../domain/errors.ts';
import type { Checkpoint, CheckpointStore } from '../ports/state-store.ts';
import { awsErrorName, awsErrorStatus, dependencyError } from './aws-errors.ts';
import { checkpointKey, checkpointPrefix, prunableKeys } from './checkpoint-key.ts';

const DELETE_BATCH = 1000;

export class S3CheckpointStore implements CheckpointStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string = BUCKETS.state) {
    this.#client = client;
    this.#bucket = bucket;
  }

  /** @throws ConflictError when other bytes are already there */
  async put(session: SessionRow, lsn: number, epoch: number, body: Uint8Array): Promise<Checkpoint> {
    const checkpoint = { key: checkpointKey(session, lsn, epoch), lsn, epoch };
    try {
      await this.#client.send(
        new PutObjectCommand({
          Bucket: this.#bucket,
          Key: checkpoint.key,
          Body: body,
          ContentType: 'application/octet-stream',
          IfNoneMatch: '*',
        }),
      );
    } catch (error) {
      if (awsErrorStatus(error) !== 412) throw dependencyError('S3 PutObject', error);
      // A repeated request finds what its first try wrote.
      if (Buffer.compare(await this.get(checkpoint), body) !== 0) {
        throw new ConflictError('Another checkpoint is already at this position');
      }
    }
    return checkpoint;
  }

  async get(checkpoint: Checkpoint): Promise<Uint8Array> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: checkpoint.key }));
      if (Body === undefined) throw new DependencyError('S3 GetObject answered without a body');
      return await Body.transformToByteArray();
    } catch (error) {
      if (awsErrorName(error) === 'NoSuchKey') throw new NotFoundError('The checkpoint does not exist');
      throw dependencyError('S3 GetObject', error);
    }
  }

  async prune(session: SessionRow, keep: number): Promise<void> {
    try {
      const keys: string[] = [];
      const pages = paginateListObjectsV2(
        { client: this.#client },
        { Bucket: this.#bucket, Prefix: checkpointPrefix(session) },
      );
      for await (const page of pages) keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
      const prunable = prunableKeys(keys, keep, session.checkpoint?.key);
      for (let start = 0; start < prunable.length; start += DELETE_BATCH) {
        const Objects = prunable.slice(start, start + DELETE_BATCH).map((Key) => ({ Key }));
        await this.#client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }));
      }
    } catch (error) {
      throw dependencyError('S3 pruning of checkpoints', error);
    }
  }
}
