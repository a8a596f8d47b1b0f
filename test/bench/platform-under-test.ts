import type { AwsCalls } from './aws-call-counter.ts';
import { ChildLink } from './child-link.ts';
import { restartedSchema, startedSchema, usageSchema } from './platform-messages.ts';
import { type ProcessUsage, processUsage } from './process-usage.ts';
import { profiling } from './profiling.ts';

/** CPU milliseconds and memory of the platform so far, by part. */
export interface PlatformUsage {
  readonly host: ProcessUsage;
  /** The functions and the local cloud. */
  readonly launcher: ProcessUsage;
  readonly calls: { readonly host: AwsCalls; readonly launcher: AwsCalls };
}

/** Where the simulator is. */
export interface WhatsappAddress {
  readonly wsUrl: string;
  readonly caFile: string;
}

/** What is measured is how fast a message can go, not how fast it should. */
const UNPACED = { PACING_DEFAULT_PROFILE: 'off' };

/** The platform, started in a child process. */
export class PlatformUnderTest {
  readonly url: string;
  readonly apiKey: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #link: ChildLink;

  private constructor(link: ChildLink, started: { url: string; apiKey: string; env: Record<string, string> }) {
    this.#link = link;
    this.url = started.url;
    this.apiKey = started.apiKey;
    this.env = started.env;
  }

  static async start(dataDir: string, whatsapp: WhatsappAddress): Promise<PlatformUnderTest> {
    const options = {
      dataDir,
      whatsappUrl: whatsapp.wsUrl,
      caFile: whatsapp.caFile,
      hostEnv: { ...UNPACED, ...profiling.environment('host'), ...profiling.hostEnv },
    };
    const program = new URL('./platform-process.ts', import.meta.url);
    const { link, first } = await ChildLink.start(program, options, startedSchema, profiling.environment('launcher'));
    return new PlatformUnderTest(link, first);
  }

  async usage(): Promise<PlatformUsage> {
    const { calls, hostPids } = await this.#link.ask('usage', usageSchema);
    const [hostPid] = hostPids;
    if (hostPid === undefined) throw new Error('The engine host does not run.');
    return { host: await processUsage(hostPid), launcher: await processUsage(this.#link.pid), calls };
  }

  async pids(): Promise<readonly number[]> {
    const { hostPids } = await this.#link.ask('usage', usageSchema);
    return [this.#link.pid, ...hostPids];
  }

  async restartHost(): Promise<void> {
    await this.#link.ask('restart-host', restartedSchema);
  }

  /** The launcher starts it again at once. */
  async killHost(): Promise<void> {
    await this.#link.ask('kill-host', restartedSchema);
  }

  stop(): Promise<void> {
    return this.#link.stop();
  }
}
