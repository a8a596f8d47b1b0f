import { parentPort, workerData } from 'node:worker_threads';
import { type EngineAddress, type Engines, startEngines, type WorkerMessage } from './engines.ts';
import type { Listener } from './loopback-listener.ts';

const port = parentPort;
if (port === null) throw new Error('This file runs as a worker thread only.');
const say = (message: WorkerMessage) => port.postMessage(message);
const address = ({ host, port: number, url }: Listener): EngineAddress => ({ host, port: number, url });

let engines: Engines | undefined;
port.on('message', async () => {
  await engines?.sqsS3.close();
  await engines?.dynamodb.close();
  say({ type: 'stopped' });
});
try {
  engines = await startEngines(workerData);
  say({ type: 'started', dynamodb: address(engines.dynamodb), sqsS3: address(engines.sqsS3) });
} catch (error) {
  say({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
}
