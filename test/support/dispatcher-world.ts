import { type DispatcherDeps, dispatch } from '#functions/webhook-dispatcher/dispatcher.ts';
import { MemoryEventLog } from '#shared/adapters/memory/memory-event-log.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import { MemoryWebhookStore } from '#shared/adapters/memory/memory-webhook-store.ts';
import { compileTextPattern } from '#shared/adapters/text-pattern.ts';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import type { WebhookTimer, WebhookWake } from '#shared/contracts/webhook-rows.ts';
import { type WebhookConfig, webhookEndpoints } from '#shared/contracts/webhooks.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import type { WebhookAnswer } from '#shared/domain/webhook-outcome.ts';
import { createLogger } from '#shared/observability/logger.ts';
import type { WebhookNotices } from '#shared/ports/webhook-notices.ts';
import type { WebhookQueue } from '#shared/ports/webhook-queue.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { sessionRow, waMessage } from '#test/contracts/rows.ts';
import { LogLines } from './log-lines.ts';

export interface Posted {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: EventEnvelope;
}

export const OK: WebhookAnswer = { kind: 'answered', status: 200 };
export const status = (code: number, retryAfter?: string): WebhookAnswer => ({
  kind: 'answered',
  status: code,
  ...(retryAfter !== undefined && { retryAfter }),
});
const START = 1_800_000_000_000;
/** The other address of a chat. */
export const lidOf = (chat: string) => `7777777777${chat}@lid`;

/** The dispatcher over memory, with a receiver that does as it is told and a clock that stands still. */
export class DispatcherWorld {
  readonly sessions = new MemorySessionStore();
  readonly store = new MemoryWebhookStore();
  readonly posted: Posted[] = [];
  readonly wakes: WebhookWake[] = [];
  readonly timers: WebhookTimer[] = [];
  readonly notices: Parameters<WebhookNotices['disabled']>[0][] = [];
  /** Deliveries, failures and events given up of each run that had any. */
  readonly metrics: (readonly number[])[] = [];
  readonly lines = new LogLines();
  now = START;
  /** What the receiver answers. */
  answer: (posted: Posted) => WebhookAnswer | Promise<WebhookAnswer> = () => OK;
  /** What happens to a call of a store or queue: it fails before it has done anything, or after. */
  fault: () => 'none' | 'before' | 'after' = () => 'none';
  global: WebhookConfig | undefined;
  mostHeld = 1_000;
  readonly log = new MemoryEventLog({ now: () => this.now });
  #seq = 0;
  #endpointId = '';

  static async with(webhook: Partial<WebhookConfig> = {}): Promise<DispatcherWorld> {
    const world = new DispatcherWorld();
    await world.configure(webhook);
    await world.store.declare('alpha', world.#endpointId, START, 0);
    return world;
  }

  get endpointId(): string {
    return this.#endpointId;
  }

  async configure(webhook: Partial<WebhookConfig>): Promise<void> {
    const webhooks = [{ url: 'https://receiver.test/', events: ['message'], ...webhook }];
    const known = await this.sessions.get('alpha');
    if (known === undefined) await this.sessions.create(sessionRow({ config: { webhooks } }));
    else await this.sessions.intend('alpha', known.incarnation, { config: { webhooks } });
    this.#endpointId = webhookEndpoints(webhooks, undefined)[0]?.id ?? '';
  }

  /** Logs messages of chats, one each, as a host does. @returns their events' ids */
  async messages(...chats: readonly string[]): Promise<readonly string[]> {
    const envelopes = chats.map((chat) => this.#message(chat));
    await this.log.append(envelopes);
    return envelopes.map(({ id }) => id);
  }

  /** Logs one, with fields of its own. @param chatId how the chat is addressed, when it is not by its number */
  async message(chat: string, fields: Pick<EventEnvelope, 'traceparent'>, chatId?: string): Promise<EventEnvelope> {
    const envelope = { ...this.#message(chat, chatId), ...fields };
    await this.log.append([envelope]);
    return envelope;
  }

  #message(chat: string, chatId = `49151000000${chat}@c.us`): EventEnvelope {
    this.#seq += 1;
    const _data = { lid: lidOf(chat) };
    return this.envelope({ event: 'message', payload: waMessage({ id: `MESSAGE${this.#seq}`, chatId, _data }) });
  }

  envelope(body: Parameters<typeof eventEnvelope>[0]): EventEnvelope {
    return eventEnvelope(body, { id: `evt_${this.#seq}`, seq: this.#seq, timestamp: this.now });
  }

  /** One wake-up, as a timer's, or by the newest event. */
  async wake(event?: WebhookWake['event']): Promise<void> {
    await dispatch(
      { session: 'alpha', endpointId: this.#endpointId, ...(event !== undefined && { event }) },
      this.deps(),
    );
  }

  /** Wakes as the queue would until nothing is left that waits, at the time that it waits for. */
  async settle(): Promise<void> {
    await this.wake();
    for (let turns = 0; turns < 1_000; turns += 1) {
      const timer = this.timers.sort((a, b) => a.dueAt - b.dueAt).shift();
      if (this.wakes.shift() === undefined && timer === undefined) return;
      this.now = Math.max(this.now, timer?.dueAt ?? 0);
      await this.wake();
    }
    throw new Error('It never comes to rest');
  }

  /** Wakes as the queue would up to a time, which then is now. */
  async until(time: number): Promise<void> {
    for (;;) {
      const [timer] = this.timers.sort((a, b) => a.dueAt - b.dueAt);
      const isTime = timer !== undefined && timer.dueAt <= time;
      if (this.wakes.shift() === undefined) {
        if (!isTime) break;
        this.timers.shift();
        this.now = Math.max(this.now, timer.dueAt);
      }
      await this.wake();
    }
    this.now = Math.max(this.now, time);
  }

  ids(): readonly string[] {
    return this.posted.map(({ body }) => body.id);
  }

  async row() {
    return await this.store.get('alpha', this.#endpointId);
  }

  async deliveries() {
    const row = await this.row();
    return row === undefined ? [] : await this.store.deliveries(row, { limit: 1_000, after: -1 });
  }

  /** The same, but that calls fail as `fault` says. */
  #faulty<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...args: readonly unknown[]): Promise<unknown> => {
          const fault = this.fault();
          if (fault === 'before') throw new DependencyError('It does not answer');
          const answer: unknown = await Reflect.apply(method, target, args);
          if (fault === 'after') throw new DependencyError('Its answer was lost');
          return answer;
        };
      },
    });
  }

  deps(): DispatcherDeps {
    return {
      sessions: this.#faulty(this.sessions),
      store: this.#faulty(this.store),
      log: this.#faulty(this.log),
      queue: this.#faulty({
        wake: async (wakes: Parameters<WebhookQueue['wake']>[0]) => {
          this.wakes.push(...wakes.map(({ wake }) => wake));
        },
        wakeAt: async (timer: WebhookTimer) => {
          this.timers.push(timer);
        },
      }),
      sender: {
        post: async (url, headers, body) => {
          const posted = { url, headers, body: JSON.parse(body) };
          this.posted.push(posted);
          return await this.answer(posted);
        },
      },
      notices: {
        disabled: async (notice) => {
          this.notices.push(notice);
        },
      },
      compileTextPattern,
      global: this.global,
      clock: { now: () => this.now, monotonic: () => this.now },
      random: () => 0.5,
      userAgent: 'Trunkline/test',
      budgetMs: 12_000,
      mostHeld: this.mostHeld,
      metrics: { emit: (_dimensions, values) => void this.metrics.push(values.map(([, value]) => value)) },
      logger: createLogger({ name: 'webhook-dispatcher', destination: this.lines }),
    };
  }
}
