import * as z from 'zod';
import {
  CONTROL_SOURCE,
  ECS_SOURCE,
  isGone,
  SESSION_WANTED,
  type SessionWanted,
  sessionWantedSchema,
  TASK_STATE_CHANGE,
  taskStateSchema,
} from '#shared/contracts/fleet-events.ts';

/** What the function hears of. */
export type FleetEvent =
  | { readonly kind: 'session-wanted'; readonly session: SessionWanted }
  /** `at`: milliseconds since 1970. */
  | { readonly kind: 'task-stopped'; readonly task: string; readonly at: number }
  | { readonly kind: 'ignored' };

const busEventSchema = z.object({
  source: z.string(),
  'detail-type': z.string(),
  time: z.iso.datetime(),
  detail: z.unknown(),
});

/** @throws SyntaxError, ZodError when it is not what its type says */
export function readFleetEvent(body: string): FleetEvent {
  const { source, 'detail-type': type, time, detail } = busEventSchema.parse(JSON.parse(body));
  if (source === CONTROL_SOURCE && type === SESSION_WANTED) {
    return { kind: 'session-wanted', session: sessionWantedSchema.parse(detail) };
  }
  if (source === ECS_SOURCE && type === TASK_STATE_CHANGE) {
    const task = taskStateSchema.parse(detail);
    // Up to then it may still act.
    if (isGone(task)) return { kind: 'task-stopped', task: task.taskArn, at: Date.parse(task.stoppedAt ?? time) };
  }
  return { kind: 'ignored' };
}
