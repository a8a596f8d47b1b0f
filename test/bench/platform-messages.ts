import * as z from 'zod';

/** What the platform's process is started with. */
export const platformSettingsSchema = z.object({
  dataDir: z.string(),
  whatsappUrl: z.string(),
  rootKey: z.string(),
  caFile: z.string(),
  hosts: z.number(),
  /** More environment for the hosts. */
  hostEnv: z.record(z.string(), z.string()),
});
export type PlatformSettings = z.infer<typeof platformSettingsSchema>;

/** What the platform's process tells once it is up. */
export const startedSchema = z.object({
  type: z.literal('started'),
  url: z.string(),
  apiKey: z.string(),
  /** Environment with the local cloud's endpoints. */
  env: z.record(z.string(), z.string()),
});

const callsSchema = z.record(z.string(), z.number());

/** Answer to `usage`. `calls` has the AWS calls so far. */
export const usageSchema = z.object({
  type: z.literal('usage'),
  hostPids: z.array(z.number()),
  calls: z.object({ host: callsSchema, launcher: callsSchema }),
});

export const restartedSchema = z.object({ type: z.literal('restarted') });

/** When the signal was sent and when the host had ended, milliseconds since 1970. */
export const downSchema = z.object({ type: z.literal('down'), signalledAt: z.number(), endedAt: z.number() });

/** When the host's process was started, milliseconds since 1970. */
export const upSchema = z.object({ type: z.literal('up'), startedAt: z.number() });

export const requestSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('usage') }),
  z.object({ do: z.literal('restart-host'), host: z.string() }),
  z.object({ do: z.literal('take-down'), host: z.string(), signal: z.enum(['SIGTERM', 'SIGKILL']) }),
  z.object({ do: z.literal('bring-up'), host: z.string() }),
]);
export type PlatformRequest = z.infer<typeof requestSchema>;
