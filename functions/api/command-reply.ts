import { json, type Reply } from './reply.ts';
import type { CommandResult } from './use-cases/run-command.ts';

/** The result of a command, or where it can be looked up once it is there. */
export function commandReply(outcome: CommandResult): Reply {
  if (outcome.kind === 'done') return json(outcome.result);
  const { jobId, session, state } = outcome.job;
  const url = `/api/${session}/jobs/${jobId}`;
  return json({ id: jobId, state, url }, 202, { location: url });
}
