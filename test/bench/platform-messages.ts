import * as z from 'zod';

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

/** `restart-host` asks it to stop first, `kill-host` does not. */
export const requestSchema = z.enum(['usage', 'restart-host', 'kill-host']);
export type PlatformRequest = z.infer<typeof requestSchema>;
