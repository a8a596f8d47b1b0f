import type { Logger } from 'pino';
import type { Clock } from '#shared/ports/clock.ts';
import type { TaskProtection } from '#shared/ports/task-protection.ts';

export interface TaskGuardOptions {
  readonly protection: TaskProtection;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
}

/** Longer than a QR code is shown before the session gives up, and not in the way for long after a host that died. */
const MINUTES = 10;
const MINUTE_MS = 60_000;
const RENEW_AFTER_MS = (MINUTES * MINUTE_MS) / 2;
const RETRY_AFTER_MS = 10_000;

/**
 * Keeps a host protected from scale-in while somebody is about to scan a QR code of it. Everything else survives a
 * drain, and a host that were protected for its sessions' sake could never be replaced: every host has some.
 * What fails is tried again.
 */
export class TaskGuard {
  readonly #options: TaskGuardOptions;
  /** What the platform has last confirmed; undefined: nobody knows. A task begins without protection. */
  #isProtected: boolean | undefined = false;
  /** On the monotonic clock. */
  #renewAt = 0;
  #retryAt = Number.NEGATIVE_INFINITY;
  #saying: Promise<void> | undefined;

  constructor(options: TaskGuardOptions) {
    this.#options = options;
  }

  /** Called again and again. @param wanted a QR code is on show */
  look(wanted: boolean): void {
    const now = this.#options.clock.monotonic();
    const isSettled = this.#isProtected === wanted && (!wanted || now < this.#renewAt);
    if (isSettled || this.#saying !== undefined || now < this.#retryAt) return;
    this.#saying = this.#say(wanted).finally(() => {
      this.#saying = undefined;
    });
  }

  /** The host has drained. Never rejects. */
  async release(): Promise<void> {
    await this.#saying;
    if (this.#isProtected !== false) await this.#say(false);
  }

  async #say(wanted: boolean): Promise<void> {
    const { protection, clock, logger } = this.#options;
    this.#isProtected = undefined;
    try {
      await (wanted ? protection.protect(MINUTES) : protection.unprotect());
      this.#isProtected = wanted;
      this.#renewAt = clock.monotonic() + RENEW_AFTER_MS;
    } catch (error) {
      logger.warn({ err: error, wanted }, 'could not change the protection of this task');
      this.#retryAt = clock.monotonic() + RETRY_AFTER_MS;
    }
  }
}
