import { DependencyError } from '../domain/errors.ts';
import type { TaskProtection } from '../ports/task-protection.ts';

const TIMEOUT_MS = 3_000;

/**
 * The ECS agent's endpoint for scale-in protection of its own task (`$ECS_AGENT_URI/task-protection/v1/state`). While it
 * is on, neither a scale-in nor a deployment ends the task.
 */
export class EcsTaskProtection implements TaskProtection {
  readonly #url: string;

  /** @param agentUri the container's ECS_AGENT_URI */
  constructor(agentUri: string) {
    this.#url = `${agentUri.replace(/\/$/, '')}/task-protection/v1/state`;
  }

  protect(minutes: number): Promise<void> {
    return this.#put({ ProtectionEnabled: true, ExpiresInMinutes: minutes });
  }

  unprotect(): Promise<void> {
    return this.#put({ ProtectionEnabled: false });
  }

  async #put(state: Readonly<Record<string, unknown>>): Promise<void> {
    let answer: unknown;
    try {
      const response = await fetch(this.#url, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(state),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      answer = await response.json();
    } catch (error) {
      throw new DependencyError('The ECS agent does not answer', { cause: error });
    }
    // The agent also says "failure" with status 200, for example for a task that is not part of a service.
    if (!isProtection(answer)) throw new DependencyError(`The ECS agent refused: ${JSON.stringify(answer)}`);
  }
}

function isProtection(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'protection' in answer;
}
