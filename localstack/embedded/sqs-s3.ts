import { AsyncLocalStorage } from 'node:async_hooks';
import type { Socket } from 'node:net';
import { buildApp } from 'fauxqs';
import { ACCOUNT_ID, REGION } from './aws-identity.ts';
import { type FauxqsApp, type FauxqsParts, loadFauxqsParts, type S3Store, type SqsStore } from './fauxqs-parts.ts';
import { openPersistence, restore } from './fauxqs-persistence.ts';
import { boundAddress, type Listener, type ListenOptions, LOOPBACK } from './loopback-listener.ts';
import { refusalOf, responseOverrides } from './s3-guard.ts';

const OBJECT_LIMIT_BYTES = 64 * 1024 * 1024;

export interface SqsS3Options extends ListenOptions {
  /** Directory for messages and objects; what was acknowledged survives a killed process. In memory without it. */
  readonly path?: string;
}

/**
 * SQS and S3 on one port. Clients of S3 need `forcePathStyle: true`; clients of SQS work with any setting of
 * `useQueueUrlAsEndpoint`. Objects up to 64 MiB in one request, larger ones in parts.
 */
export async function startSqsS3(options: SqsS3Options = {}): Promise<Listener> {
  const parts = await loadFauxqsParts();
  const stores = { sqsStore: new parts.SqsStore(), snsStore: new parts.SnsStore(), s3Store: new parts.S3Store() };
  const app = buildApp({ logger: false, defaultRegion: REGION, stores });
  // Without a host of its own the store takes the caller's: queue URLs name the address that really listens.
  stores.sqsStore.host = '';
  raiseBodyLimit(app);
  guardS3(app, stores.s3Store);
  keepMessagesFromGoneReceivers(app, parts);

  let restored = false;
  app.addHook('onRequest', (_request, reply, done) => {
    if (restored) done();
    else reply.code(503).send();
  });
  await app.listen({ port: options.port ?? 0, host: options.host ?? LOOPBACK });
  const { host, port } = boundAddress(app.server);
  const url = `http://${host}:${port}`;

  const persistence = options.path === undefined ? undefined : openPersistence(parts, options.path);
  if (persistence !== undefined) {
    addressQueuesHere(stores.sqsStore, url);
    restore(persistence, stores);
  }
  restored = true;
  return {
    host,
    port,
    url,
    close: async () => {
      await app.close();
      persistence?.close();
    },
  };
}

/** Queues read back from disk carry the port of the process before. */
function addressQueuesHere(store: SqsStore, url: string): void {
  const create = store.createQueue.bind(store);
  store.createQueue = (name, _url, ...rest) => create(name, `${url}/${ACCOUNT_ID}/${name}`, ...rest);
}

function raiseBodyLimit(app: FauxqsApp): void {
  app.removeContentTypeParser('*');
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: OBJECT_LIMIT_BYTES }, (_request, body, done) => {
    done(null, body);
  });
}

/**
 * The check runs right before the handler, and both are synchronous: between the reading of an ETag and the write
 * that depends on it no other request runs.
 */
function guardS3(app: FauxqsApp, store: S3Store): void {
  app.addHook('preHandler', (request, reply, done) => {
    const { pathname, searchParams } = new URL(request.raw.url ?? '/', 'http://s3');
    if (pathname === '/' || pathname === '/health' || pathname.startsWith('/_fauxqs/')) return done();
    const { bucket = '', '*': key = '' } = request.params as { readonly bucket?: string; readonly '*'?: string };
    const refusal = refusalOf(
      { method: request.method, bucket, key, query: searchParams, headers: request.headers },
      () => etagOf(store, bucket, key),
      Date.now(),
    );
    if (refusal === undefined) {
      for (const [name, value] of responseOverrides(searchParams)) reply.header(`x-override-${name}`, value);
      return done();
    }
    reply.code(refusal.status);
    if (request.method === 'HEAD') reply.send();
    else
      reply
        .type('application/xml')
        .send(`<Error><Code>${refusal.code}</Code><Message>${refusal.message}</Message></Error>`);
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (!name.startsWith('x-override-')) continue;
      reply.removeHeader(name);
      if (reply.statusCode < 300) reply.header(name.slice('x-override-'.length), value);
    }
    done();
  });
}

function etagOf(store: S3Store, bucket: string, key: string): string | undefined {
  try {
    return store.headObject(bucket, key).etag;
  } catch {
    // No such object or bucket; the handler says which.
    return undefined;
  }
}

/**
 * A long poll whose caller died still wakes up for the next message, which would then be invisible to everyone until
 * its visibility timeout. A receiver that is gone gets nothing.
 */
function keepMessagesFromGoneReceivers(app: FauxqsApp, parts: FauxqsParts): void {
  const prototype = parts.SqsQueue.prototype;
  if (!Object.hasOwn(prototype, PATCHED)) {
    const dequeue = prototype.dequeue;
    prototype.dequeue = function (...args) {
      return receiver.getStore()?.destroyed === true ? [] : dequeue.apply(this, args);
    };
    Object.defineProperty(prototype, PATCHED, { value: true });
  }
  app.addHook('preHandler', (request, _reply, done) => receiver.run(request.raw.socket, done));
}

const PATCHED = Symbol.for('trunkline.receiver-aware');
const receiver = new AsyncLocalStorage<Socket>();
