import type * as z from 'zod';
import type { AwsCalls } from './aws-call-counter.ts';
import { ChildLink } from './child-link.ts';
import {
  downSchema,
  type PlatformRequest,
  type PlatformSettings,
  restartedSchema,
  startedSchema,
  upSchema,
  usageSchema,
} from './platform-messages.ts';
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
  readonly rootKey: string;
  readonly caFile: string;
}

export interface PlatformVariant {
  /** @default 1 */
  readonly hosts?: number;
  /** A module that the hosts load before their program. */
  readonly preload?: URL;
  /** More environment for the hosts. */
  readonly hostEnv?: Readonly<Record<string, string>>;
}

/** The same host, but what it knows is in memory only and nothing waits until it is durable. */
export const WITHOUT_JOURNAL: PlatformVariant = {
  preload: new URL('./without-journal.ts', import.meta.url),
  hostEnv: { NOWEB_GATE: 'off' },
};

const FIRST_HOST = 'host-1';

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

  static async start(
    dataDir: string,
    whatsapp: WhatsappAddress,
    { hosts = 1, preload, hostEnv = {} }: PlatformVariant = {},
  ): Promise<PlatformUnderTest> {
    const settings: PlatformSettings = {
      dataDir,
      whatsappUrl: whatsapp.wsUrl,
      rootKey: whatsapp.rootKey,
      caFile: whatsapp.caFile,
      hosts,
      hostEnv: withPreload({ ...UNPACED, ...profiling.environment('host'), ...profiling.hostEnv, ...hostEnv }, preload),
    };
    const program = new URL('./platform-process.ts', import.meta.url);
    const { link, first } = await ChildLink.start(program, settings, startedSchema, profiling.environment('launcher'));
    return new PlatformUnderTest(link, first);
  }

  async usage(): Promise<PlatformUsage> {
    const { calls, hostPids } = await this.#ask({ do: 'usage' }, usageSchema);
    const [hostPid] = hostPids;
    if (hostPid === undefined) throw new Error('The engine host does not run.');
    return { host: await processUsage(hostPid), launcher: await processUsage(this.#link.pid), calls };
  }

  async pids(): Promise<readonly number[]> {
    const { hostPids } = await this.#ask({ do: 'usage' }, usageSchema);
    return [this.#link.pid, ...hostPids];
  }

  async restartHost(): Promise<void> {
    await this.#ask({ do: 'restart-host', host: FIRST_HOST }, restartedSchema);
  }

  /** Ends a host, which stays down. @returns when, milliseconds since 1970 */
  takeDown(signal: 'SIGTERM' | 'SIGKILL', host = FIRST_HOST): Promise<z.infer<typeof downSchema>> {
    return this.#ask({ do: 'take-down', host, signal }, downSchema);
  }

  /** @returns when the host's process was started, milliseconds since 1970 */
  async bringUp(host = FIRST_HOST): Promise<number> {
    return (await this.#ask({ do: 'bring-up', host }, upSchema)).startedAt;
  }

  /** Kills functions and local cloud at once; the hosts end by that. */
  kill(): Promise<void> {
    return this.#link.kill();
  }

  stop(): Promise<void> {
    return this.#link.stop();
  }

  #ask<T>(request: PlatformRequest, answer: z.ZodType<T>): Promise<T> {
    return this.#link.ask(request, answer);
  }
}

function withPreload(env: Record<string, string>, preload: URL | undefined): Record<string, string> {
  if (preload === undefined) return env;
  return { ...env, NODE_OPTIONS: `${env.NODE_OPTIONS ?? ''} --import ${preload.href}`.trim() };
}
