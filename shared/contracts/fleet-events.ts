import * as z from 'zod';

/** `source` of what the platform tells itself on its bus. Of it only `webhook.disabled` is meant for users' rules. */
export const CONTROL_SOURCE = 'trunkline.control';
export const SESSION_WANTED = 'session.wanted';

/** Detail of `session.wanted`: a session that a host has to do something for. */
export const sessionWantedSchema = z.object({
  session: z.string(),
  shard: z.string(),
  pool: z.enum(['socket', 'browser']),
  /** When it began to want one, milliseconds since 1970. */
  at: z.number(),
});
export type SessionWanted = z.infer<typeof sessionWantedSchema>;

export const ECS_SOURCE = 'aws.ecs';
export const TASK_STATE_CHANGE = 'ECS Task State Change';

/** What of ECS's `Task State Change` is used here. */
export const taskStateSchema = z.object({
  taskArn: z.string(),
  lastStatus: z.string(),
  containers: z.array(z.object({ lastStatus: z.string() })).default([]),
  stoppedAt: z.iso.datetime().optional(),
});

/**
 * Whether nothing is left of a task that could act. Its containers are gone some time before ECS has taken its network
 * apart and calls it STOPPED.
 */
export function isGone({ lastStatus, containers }: z.infer<typeof taskStateSchema>): boolean {
  if (lastStatus === 'STOPPED') return true;
  return containers.length > 0 && containers.every((container) => container.lastStatus === 'STOPPED');
}

/** What the capacity function hears of, by the rules that feed its queue. */
export const SESSION_WANTED_PATTERN = { source: [CONTROL_SOURCE], 'detail-type': [SESSION_WANTED] };
/** Of every cluster of the account: a task that is no host's matches no row. The CDK app narrows it to its own. */
export const TASK_ENDS_PATTERN = {
  source: [ECS_SOURCE],
  'detail-type': [TASK_STATE_CHANGE],
  detail: { desiredStatus: ['STOPPED'] },
};
