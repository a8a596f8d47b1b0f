import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';

/** Loaded before a program: the first SIGUSR2 starts a CPU profile of each of its threads, the next one writes them. */
const directory = process.env.BENCH_PROFILE_DIR;
const name = process.env.BENCH_PROFILE_NAME;
let session: Session | undefined;
let number = 0;

async function toggle(): Promise<void> {
  if (session === undefined) {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    return;
  }
  const stopping = session;
  session = undefined;
  const { profile } = await stopping.post('Profiler.stop');
  stopping.disconnect();
  number += 1;
  const file = `${name}-${process.pid}-thread${threadId}-${number}.cpuprofile`;
  await writeFile(join(directory ?? '.', file), JSON.stringify(profile));
}

const channel = new BroadcastChannel('bench-profile');
channel.unref();
if (isMainThread) {
  process.on('SIGUSR2', () => {
    channel.postMessage('toggle');
    void toggle();
  });
} else {
  channel.onmessage = () => void toggle();
}
