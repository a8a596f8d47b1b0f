import { type WebhookConfig, type WebhookEndpoint, webhookEndpoints } from '#shared/contracts/webhooks.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';

/** For so long what a session wants may be out of date. Whoever changes it has its endpoints looked after once more then. */
const FRESH_MS = 2_000;
const MOST_SESSIONS = 10_000;

interface Known {
  readonly until: number;
  readonly endpoints: Promise<readonly WebhookEndpoint[]>;
}

/** The endpoints of sessions, looked up at most every two seconds each. */
export class SessionInterest {
  readonly #sessions: Pick<SessionStore, 'get'>;
  readonly #global: WebhookConfig | undefined;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #known = new Map<string, Known>();

  constructor(sessions: Pick<SessionStore, 'get'>, global: WebhookConfig | undefined, clock: Pick<Clock, 'monotonic'>) {
    this.#sessions = sessions;
    this.#global = global;
    this.#clock = clock;
  }

  async endpoints(session: string): Promise<readonly WebhookEndpoint[]> {
    const now = this.#clock.monotonic();
    const known = this.#known.get(session);
    if (known !== undefined && known.until > now) return await known.endpoints;
    if (this.#known.size >= MOST_SESSIONS) this.#known.clear();
    const endpoints = this.#lookUp(session);
    this.#known.set(session, { until: now + FRESH_MS, endpoints });
    try {
      return await endpoints;
    } catch (error) {
      this.#known.delete(session);
      throw error;
    }
  }

  async #lookUp(session: string): Promise<readonly WebhookEndpoint[]> {
    const row = await this.#sessions.get(session);
    return row === undefined || row.desired === 'DELETED' ? [] : webhookEndpoints(row.config.webhooks, this.#global);
  }
}
