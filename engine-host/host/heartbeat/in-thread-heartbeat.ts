import { Beating, type BeatingOptions } from './beating.ts';
import type { Heartbeat, Pulse, PulseEvents, Registration } from './heartbeat.ts';
import { SharedPulse } from './shared-pulse.ts';

/** Beats in the thread of its caller, on the caller's timers: for tests and simulations that own time. */
export class InThreadHeartbeat implements Heartbeat {
  readonly #options: Pick<BeatingOptions, 'store' | 'clock' | 'every'>;

  constructor(options: Pick<BeatingOptions, 'store' | 'clock' | 'every'>) {
    this.#options = options;
  }

  begin(registration: Registration, events: PulseEvents): Pulse {
    const pulse = SharedPulse.create(registration);
    const beating = new Beating({ ...this.#options, registration, pulse, events });
    return {
      get sentAt() {
        return pulse.sentAt;
      },
      get isLost() {
        return pulse.isLost;
      },
      say: (news) => beating.say(news),
      stop: () => beating.stop(),
    };
  }
}
