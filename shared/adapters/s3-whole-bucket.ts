import {
  CopyObjectCommand,
  type DeleteMarkerEntry,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { DependencyError } from '../domain/errors.ts';
import type { StoredObject, WholeBucket } from '../ports/whole-installation.ts';
import { dependencyError } from './aws-errors.ts';
import { ObjectVersions, type VersionEntry } from './object-versions.ts';

export class S3WholeBucket implements WholeBucket {
  readonly name: string;
  readonly #client: S3Client;

  constructor(client: S3Client, name: string) {
    this.#client = client;
    this.name = name;
  }

  async *objects(at?: number): AsyncGenerator<StoredObject> {
    try {
      yield* at === undefined ? this.#current() : this.#former(at);
    } catch (error) {
      throw dependencyError(`S3 listing of ${this.name}`, error);
    }
  }

  async take(from: string, { key, version }: StoredObject): Promise<void> {
    const path = [from, ...key.split('/')].map(encodeURIComponent).join('/');
    const CopySource = version === undefined ? path : `${path}?versionId=${encodeURIComponent(version)}`;
    try {
      await this.#client.send(new CopyObjectCommand({ Bucket: this.name, Key: key, CopySource }));
    } catch (error) {
      throw dependencyError(`S3 CopyObject from ${from} to ${this.name}`, error);
    }
  }

  async *#current(): AsyncGenerator<StoredObject> {
    for await (const { Contents = [] } of paginateListObjectsV2({ client: this.#client }, { Bucket: this.name })) {
      for (const { Key: key, Size: bytes } of Contents)
        if (key !== undefined && bytes !== undefined) yield { key, bytes };
    }
  }

  async *#former(at: number): AsyncGenerator<StoredObject> {
    const versions = new ObjectVersions(at);
    let page: ListObjectVersionsCommandOutput | undefined;
    do {
      const marker = page && { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
      page = await this.#client.send(new ListObjectVersionsCommand({ Bucket: this.name, ...marker }));
      for (const version of page.Versions ?? []) versions.add(entryOf(version, version.Size));
      for (const deletion of page.DeleteMarkers ?? []) versions.add(entryOf(deletion));
      yield* versions.take(page.NextKeyMarker);
    } while (page.IsTruncated === true);
  }
}

function entryOf({ Key, VersionId, LastModified }: DeleteMarkerEntry, bytes?: number): VersionEntry {
  if (Key === undefined || VersionId === undefined || LastModified === undefined)
    throw new DependencyError('S3 lists a version without its key, its id or its time');
  const entry = { key: Key, version: VersionId, at: LastModified.getTime() };
  return bytes === undefined ? entry : { ...entry, bytes };
}
