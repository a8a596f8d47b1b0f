import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { startDynamoDb } from './dynamodb.ts';
import type { Listener } from './loopback-listener.ts';
import { startSqsS3 } from './sqs-s3.ts';

export interface EngineOptions {
  /** In memory without it. */
  readonly dataDir?: string;
  /** @default 0 each (any free port) */
  readonly ports?: { readonly dynamodb?: number; readonly sqsS3?: number };
}

/** The servers that hold data. */
export interface Engines {
  readonly dynamodb: Listener;
  readonly sqsS3: Listener;
}

/** Where an engine of another thread listens. */
export type EngineAddress = Omit<Listener, 'close'>;
export type WorkerMessage =
  | { readonly type: 'started'; readonly dynamodb: EngineAddress; readonly sqsS3: EngineAddress }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'stopped' };

export async function startEngines({ dataDir, ports = {} }: EngineOptions): Promise<Engines> {
  const directory = (name: string) => (dataDir === undefined ? {} : { path: join(dataDir, name) });
  const dynamodb = await startDynamoDb({ port: ports.dynamodb ?? 0, ...directory('dynamodb') });
  try {
    return { dynamodb, sqsS3: await startSqsS3({ port: ports.sqsS3 ?? 0, ...directory('sqs-s3') }) };
  } catch (error) {
    await dynamodb.close();
    throw error;
  }
}

/** The same engines in a thread of their own, so that they and the functions use two cores. */
export async function startIsolatedEngines(options: EngineOptions): Promise<Engines> {
  const worker = new Worker(new URL('./engines-worker.ts', import.meta.url), { workerData: options });
  const started = await nextMessage(worker);
  if (started.type !== 'started') {
    await worker.terminate();
    throw new Error(started.type === 'failed' ? started.message : 'The engines stopped before they started.');
  }
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= stopWorker(worker);
    return closed;
  };
  return { dynamodb: { ...started.dynamodb, close }, sqsS3: { ...started.sqsS3, close } };
}

async function stopWorker(worker: Worker): Promise<void> {
  const stopped = nextMessage(worker);
  worker.postMessage('stop');
  await stopped;
  await worker.terminate();
}

function nextMessage(worker: Worker): Promise<WorkerMessage> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: WorkerMessage) => {
      // From here on an error of the thread is nobody's answer: it has to end the process, not vanish.
      worker.off('error', onError);
      resolve(message);
    };
    const onError = (error: Error) => {
      worker.off('message', onMessage);
      reject(error);
    };
    worker.once('message', onMessage);
    worker.once('error', onError);
  });
}
