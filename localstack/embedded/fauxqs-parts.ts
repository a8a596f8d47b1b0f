import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { buildApp } from 'fauxqs';

/** The only version whose inner shape is known here. */
const KNOWN_VERSION = '2.4.1';

type Stores = NonNullable<NonNullable<Parameters<typeof buildApp>[0]>['stores']>;
export type FauxqsApp = ReturnType<typeof buildApp>;
export type SqsStore = Stores['sqsStore'];
export type S3Store = Stores['s3Store'];
export type SnsStore = Stores['snsStore'];
type SqsQueue = ReturnType<SqsStore['createQueue']>;
export type SqsPersistence = NonNullable<SqsStore['persistence']>;

/** What the package keeps to itself: its stores and their SQLite write-through. */
export interface FauxqsParts {
  readonly SqsStore: new () => SqsStore;
  readonly SqsQueue: { readonly prototype: SqsQueue };
  readonly SnsStore: new () => SnsStore;
  readonly S3Store: new () => S3Store;
  readonly PersistenceManager: new (directory: string) => SqsPersistence;
}

/**
 * The package's inner classes. Its own starter listens on every interface, and the application it exports keeps
 * nothing on disk; loopback with persistence needs the parts.
 *
 * @throws if the installed version or its files are not the known ones
 */
export async function loadFauxqsParts(): Promise<FauxqsParts> {
  const manifest = findPackageJSON('fauxqs', import.meta.url);
  if (manifest === undefined) throw new Error('The package fauxqs is not installed: run npm ci.');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  if (version !== KNOWN_VERSION) {
    throw new Error(`The local SQS and S3 need fauxqs ${KNOWN_VERSION}, found ${version}: run npm ci.`);
  }
  const part = async (path: string, name: string) => {
    const module = await import(pathToFileURL(join(dirname(manifest), 'dist', path)).href);
    if (typeof module[name] !== 'function') throw new Error(`fauxqs ${version} has no ${name} in ${path}.`);
    return module[name];
  };
  return {
    SqsStore: await part('sqs/sqsStore.js', 'SqsStore'),
    SqsQueue: await part('sqs/sqsStore.js', 'SqsQueue'),
    SnsStore: await part('sns/snsStore.js', 'SnsStore'),
    S3Store: await part('s3/s3Store.js', 'S3Store'),
    PersistenceManager: await part('persistence.js', 'PersistenceManager'),
  };
}
