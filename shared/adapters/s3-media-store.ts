import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { BUCKETS } from '../contracts/resources.ts';
import { DependencyError, NotFoundError } from '../domain/errors.ts';
import type { MediaStore, StoredMedia } from '../ports/media-store.ts';
import { awsErrorName, awsErrorStatus, dependencyError } from './aws-errors.ts';
import { attachmentHeader } from './content-disposition.ts';

const ONE_REQUEST_BYTES = 8 * 1024 * 1024;
const UNKNOWN_TYPE = 'application/octet-stream';

/** A file's name is stored as the object's `Content-Disposition`, so every URL of it downloads under that name. */
export class S3MediaStore implements MediaStore {
  readonly bucket: string;
  readonly #client: S3Client;

  constructor(client: S3Client, bucket: string = BUCKETS.media) {
    this.#client = client;
    this.bucket = bucket;
  }

  async put(key: string, body: Uint8Array, mimetype: string, filename?: string): Promise<void> {
    const params = {
      Bucket: this.bucket,
      Key: key,
      Body: body,
      ContentType: mimetype,
      ...(filename !== undefined && { ContentDisposition: attachmentHeader(filename) }),
    };
    try {
      if (body.byteLength <= ONE_REQUEST_BYTES) await this.#client.send(new PutObjectCommand(params));
      else await new Upload({ client: this.#client, params, partSize: ONE_REQUEST_BYTES }).done();
    } catch (error) {
      throw dependencyError('S3 upload', error);
    }
  }

  async get(key: string): Promise<StoredMedia> {
    try {
      const object = await this.#client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
      if (object.Body === undefined) throw new DependencyError('S3 GetObject answered without a body');
      return { body: await object.Body.transformToByteArray(), mimetype: object.ContentType ?? UNKNOWN_TYPE };
    } catch (error) {
      if (awsErrorName(error) === 'NoSuchKey') throw new NotFoundError('The file does not exist');
      throw dependencyError('S3 GetObject', error);
    }
  }

  async exists(key: string): Promise<boolean> {
    try {
      await this.#client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }));
      return true;
    } catch (error) {
      if (awsErrorStatus(error) === 404) return false;
      throw dependencyError('S3 HeadObject', error);
    }
  }

  async presignedUrl(key: string, seconds: number): Promise<string> {
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: key });
    return await getSignedUrl(this.#client, command, { expiresIn: seconds });
  }

  /** What is deleted was listed before it, so a late deletion takes nothing that is newer. */
  async deleteSome(prefix: string): Promise<boolean> {
    const failed = await this.#deletePage(prefix).catch((error: unknown) => {
      throw dependencyError('S3 deletion of media', error);
    });
    if (failed.left > 0) throw new DependencyError(`S3 did not delete ${failed.left} objects of ${failed.of}`);
    return failed.isTruncated;
  }

  async #deletePage(Prefix: string) {
    const Bucket = this.bucket;
    const { Contents = [], IsTruncated } = await this.#client.send(new ListObjectsV2Command({ Bucket, Prefix }));
    const Objects = Contents.flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]));
    const isTruncated = IsTruncated === true;
    if (Objects.length === 0) return { left: 0, of: 0, isTruncated };
    const { Errors = [] } = await this.#client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
    );
    return { left: Errors.length, of: Objects.length, isTruncated };
  }
}
