import { parentPort } from 'node:worker_threads';
import { type SimulationOptions, simulate } from './simulation.ts';

const port = parentPort;
if (port === null) throw new Error('This file runs as a worker thread only.');
port.on('message', async (options: SimulationOptions) => port.postMessage(await simulate(options)));
