import { parentPort } from 'node:worker_threads';

/** The heartbeat's worker, which dies after every second good heartbeat. For tests. */
const GOOD_ONES = 2;
const port = parentPort;
if (port === null) throw new Error('This file runs as a worker thread only.');
const post = port.postMessage.bind(port);
let good = 0;
port.postMessage = (message: { readonly type: string }) => {
  post(message);
  if (message.type === 'good') good += 1;
  if (good === GOOD_ONES) process.exit(1);
};
await import('../main.ts');
