import type { Restriction } from '#shared/domain/pacing-state.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { SessionPacer } from '../jobs/session-pacer.ts';
import type { Announcement } from './status-board.ts';

export interface PauseNoticesOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Undefined while the session's state is not at hand. */
  readonly pacer: () => Pick<SessionPacer, 'untoldPause' | 'endTold'> | undefined;
  readonly announce: (announcement: Announcement) => void;
}

/** Timers take no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Tells of pauses of new conversations: when one begins, and once when it is over, by whichever host has the session
 * then. That it was told is noted only when the bus has it, so a host that dies between leaves it to the next, which
 * tells it under the same event id.
 */
export class PauseNotices {
  readonly #options: PauseNoticesOptions;
  #timer: NodeJS.Timeout | undefined;
  /** End of the pause that is being told. */
  #telling: number | undefined;

  constructor(options: PauseNoticesOptions) {
    this.#options = options;
  }

  /** WhatsApp has imposed it. @param code as the job says it @param traceparent the job's */
  refused(pause: Restriction, code: string, traceparent: string | undefined): void {
    this.#options.announce({ data: { ...dataOf(pause, true), code }, traceparent });
    this.watch();
  }

  /** Too few messages were delivered. */
  braked(pause: Restriction, found: { readonly delivered: number; readonly sends: number }): void {
    const { deliveryBrake } = dataOf(pause, true);
    this.#options.announce({ data: { deliveryBrake: { ...deliveryBrake, ...found } } });
    this.watch();
  }

  /** Sees to it that the end of a pause is told: now, or when it comes. */
  watch(): void {
    const { clock, announce, pacer } = this.#options;
    clearTimeout(this.#timer);
    const current = pacer();
    const pause = current?.untoldPause;
    if (pause === undefined || pause.until === this.#telling) return;
    const left = pause.until - clock.now();
    if (left > 0) {
      this.#timer = setTimeout(() => this.watch(), Math.min(left, LONGEST_TIMER_MS));
      this.#timer.unref();
      return;
    }
    this.#telling = pause.until;
    announce({
      data: dataOf(pause, false),
      timestamp: pause.until,
      key: `pause-over:${pause.until}`,
      published: () => current?.endTold(pause),
    });
  }

  /** The session's state goes. */
  close(): void {
    clearTimeout(this.#timer);
    this.#telling = undefined;
  }
}

function dataOf({ cause, until }: Restriction, isActive: boolean) {
  const timeEnforcementEnds = Math.ceil(until / 1000);
  return cause === 'refused'
    ? { reachoutTimelock: { enforcementType: 'UNKNOWN', isActive, timeEnforcementEnds } }
    : { deliveryBrake: { isActive, timeEnforcementEnds } };
}
