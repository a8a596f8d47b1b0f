import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { DependencyError } from '../domain/errors.ts';

const ATTEMPTS = 3;
const PAUSE_MS = 200;
const TIMEOUT_MS = 1_000;
const answerSchema = z.object({ TaskARN: z.string().min(1) });

/**
 * ARN of the ECS task that this process is in.
 *
 * @param endpoint ECS_CONTAINER_METADATA_URI_V4, which ECS puts into a task's environment
 * @throws DependencyError when the endpoint does not say
 */
export async function readTaskArn(endpoint: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await fetch(`${endpoint}/task`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      return answerSchema.parse(await answer.json()).TaskARN;
    } catch (error) {
      if (attempt === ATTEMPTS) throw new DependencyError('ECS does not say which task this is', { cause: error });
      await delay(PAUSE_MS);
    }
  }
}
