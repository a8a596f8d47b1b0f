import { setTimeout as delay } from 'node:timers/promises';
import type { RuleQueue } from './rule-queue.ts';

interface Word {
  /** When the status came about. */
  readonly since: number;
  /** When its event was at the rule's target. */
  readonly toldAt: number;
}

const PAUSE_MS = 20;

/** Knows from events at a rule's target when sessions have become WORKING. All times are milliseconds since 1970. */
export class WorkingWatch {
  readonly #words = new Map<string, Word[]>();

  /** @param queue of a rule that lets `session.status` through */
  constructor(queue: RuleQueue) {
    queue.listen(({ envelope, queuedAt }) => {
      if (envelope.event !== 'session.status' || envelope.payload.status !== 'WORKING') return;
      const words = this.#words.get(envelope.session) ?? [];
      this.#words.set(envelope.session, words);
      words.push({ since: envelope.timestamp, toldAt: queuedAt });
    });
  }

  /**
   * When each of the sessions has told that it became WORKING at or after `since`.
   * @throws Error when one does not in time
   */
  async again(sessions: readonly string[], since: number, timeoutMs: number): Promise<readonly number[]> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const told = sessions.map((session) => this.#toldAt(session, since)).filter((at) => at !== undefined);
      if (told.length === sessions.length) return told;
      if (performance.now() > deadline)
        throw new Error(`Only ${told.length} of ${sessions.length} sessions came back.`);
      await delay(PAUSE_MS);
    }
  }

  #toldAt(session: string, since: number): number | undefined {
    return this.#words.get(session)?.find((word) => word.since >= since)?.toldAt;
  }
}
