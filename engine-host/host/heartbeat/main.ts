import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { createHeartbeatClient } from '#shared/adapters/aws-clients.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { Beating } from './beating.ts';
import { MainThreadWatch } from './main-thread-watch.ts';
import { SharedPulse } from './shared-pulse.ts';
import type { FromHeartbeatWorker, HeartbeatWorkerData, ToHeartbeatWorker } from './worker-messages.ts';

const STDERR = 2;

const port = parentPort;
if (port === null) throw new Error('This file runs as a worker thread only.');
const { tables, every, stallBeats, turns }: HeartbeatWorkerData = workerData;
const store = new DynamoDbOwnershipStore(createHeartbeatClient(), tables);
const say = (message: FromHeartbeatWorker) => port.postMessage(message);
let beating: { readonly beats: Beating; readonly incarnation: string } | undefined;

port.on('message', (message: ToHeartbeatWorker) => {
  switch (message.type) {
    case 'begin': {
      const { registration, memory } = message;
      const { incarnation } = registration;
      void beating?.beats.stop();
      const beats = new Beating({
        store,
        clock: systemClock,
        every,
        registration,
        pulse: new SharedPulse(memory),
        events: {
          good: () => say({ type: 'good', incarnation }),
          lost: () => say({ type: 'lost', incarnation }),
          failed: (error) => say({ type: 'failed', incarnation, reason: String(error) }),
        },
      });
      beating = { beats, incarnation };
      return;
    }
    case 'say':
      beating?.beats.say(message.news);
      return;
    case 'stop': {
      const ended = beating;
      beating = undefined;
      void ended?.beats.stop().then(() => say({ type: 'stopped', incarnation: ended.incarnation }));
    }
  }
});

const watch = new MainThreadWatch(turns, stallBeats);
setInterval(() => {
  if (!watch.isStalled()) return;
  // The main thread cannot log any more, and nothing else would ever end this process.
  writeSync(STDERR, 'The main thread of this host does not turn any more; the process ends.\n');
  process.kill(process.pid, 'SIGKILL');
}, every);
