import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

/** The WhatsApp simulator, in a process of its own. */
export interface SimulatorProcess {
  readonly port: number;
  readonly wsUrl: string;
  /** Public key behind its certificates, base64: what hosts must trust instead of WhatsApp's. */
  readonly rootKey: string;
  /** Base URL of its admin API. */
  readonly adminUrl: string;
  /** Certificate authority that its clients must trust, for media. */
  readonly caFile: string;
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../test/simulator/main.ts', import.meta.url));
const listening = z.object({ event: z.literal('listening'), port: z.number(), wsUrl: z.string(), rootKey: z.base64() });

/**
 * @param dataDir its accounts, linked devices and queues survive in here
 * @throws Error when it ends before it listens
 */
export async function startSimulatorProcess(dataDir: string, port = 0): Promise<SimulatorProcess> {
  const caFile = join(dataDir, 'ca.pem');
  const child = spawn(
    process.execPath,
    [MAIN, '--port', String(port), '--data', dataDir, '--ca-file', caFile, '--no-test-group'],
    {
      // The channel carries nothing: its end tells the simulator that its launcher is gone.
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    },
  );
  const ready = await firstListeningLine(child);
  return {
    port: ready.port,
    wsUrl: ready.wsUrl,
    rootKey: ready.rootKey,
    adminUrl: `http://127.0.0.1:${ready.port}`,
    caFile,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function firstListeningLine(child: ChildProcess): Promise<z.infer<typeof listening>> {
  if (child.stdout === null) throw new Error('The simulator has no output to read its address from.');
  for await (const line of createInterface({ input: child.stdout })) {
    const parsed = listening.safeParse(jsonOrNothing(line));
    if (parsed.success) {
      child.stdout.resume();
      return parsed.data;
    }
  }
  throw new Error('The simulator ended before it listened.');
}

function jsonOrNothing(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
