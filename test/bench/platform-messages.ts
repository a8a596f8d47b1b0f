import * as z from 'zod';

/** What the platform's process tells once it is up. */
export const startedSchema = z.object({
  type: z.literal('started'),
  url: z.string(),
  apiKey: z.string(),
  /** Environment with the local cloud's endpoints. */
  env: z.record(z.string(), z.string()),
});

/** Answer to `usage`. `mainThreadMs` is the part of `cpuMs` that functions, API gateway and event bus used. */
export const usageSchema = z.object({
  type: z.literal('usage'),
  cpuMs: z.number(),
  mainThreadMs: z.number(),
  rssMb: z.number(),
  hostPids: z.array(z.number()),
});

export const restartedSchema = z.object({ type: z.literal('restarted') });

/** `restart-host` asks it to stop first, `kill-host` does not. */
export const requestSchema = z.enum(['usage', 'restart-host', 'kill-host']);
export type PlatformRequest = z.infer<typeof requestSchema>;
