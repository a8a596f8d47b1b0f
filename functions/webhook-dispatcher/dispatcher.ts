import type { WebhookEndpointRow, WebhookWake } from '#shared/contracts/webhook-rows.ts';
import { type WebhookConfig, webhookEndpoints } from '#shared/contracts/webhooks.ts';
import { parseChatId } from '#shared/domain/chat-id.ts';
import type { EventFilter } from '#shared/domain/webhook-filter.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';
import type { CompileTextPattern } from '#shared/ports/text-pattern.ts';
import { EndpointRun, type EndpointRunDeps } from './endpoint-run.ts';

export interface DispatcherDeps extends EndpointRunDeps {
  readonly sessions: Pick<SessionStore, 'get'>;
  readonly compileTextPattern: CompileTextPattern;
  /** The installation's own webhook. */
  readonly global: WebhookConfig | undefined;
}

/** As long as the fan-out tries to hand on an event: ten times, half a minute apart. */
const LONGEST_ON_THE_WAY_MS = 5 * 60_000;

/**
 * Does what there is to do for an endpoint. Called again at any time it goes on where it was; what it had posted and not
 * written down is posted again.
 *
 * @throws what the stores, the log and the queues throw: then the wake-up has to come again
 */
export async function dispatch(wake: WebhookWake, deps: DispatcherDeps): Promise<void> {
  const { store, queue, sessions, clock, global } = deps;
  const { session, endpointId } = wake;
  // By the clock here the timer is early, and so would find nothing that is due.
  if (wake.dueAt !== undefined && wake.dueAt > clock.now()) {
    return await queue.wakeAt({ session, endpointId, dueAt: wake.dueAt });
  }
  const known = await store.get(session, endpointId);
  if (known !== undefined && isDone(wake, known)) return;
  const config = await sessions.get(session);
  if (config === undefined || config.desired === 'DELETED') return;
  const endpoint = webhookEndpoints(config.config.webhooks, global).find(({ id }) => id === endpointId);
  if (endpoint === undefined) return;
  const row = known ?? (await begin(wake, deps));
  if (row === undefined || row.disabledAt !== undefined) return;
  if (row.nextTryAt !== undefined && row.nextTryAt > clock.now()) return;
  const filter = await compiled(endpoint.webhook.filter, deps);
  const looksBack = wake.event === undefined || endpoint.webhook.ordered === true;
  await new EndpointRun({ row, webhook: endpoint.webhook, filter, looksBack }, deps).run();
}

/** An earlier run has come past the event. */
function isDone({ event }: WebhookWake, { cursor }: WebhookEndpointRow): boolean {
  return event?.seq !== undefined && event.seq <= cursor;
}

/**
 * An endpoint that nobody has announced, as the installation's own of a session from before: it begins with what woke it,
 * and what is so young that its own wake-up may still come, as they come in no order.
 */
async function begin({ session, endpointId, event }: WebhookWake, { log, store, clock }: DispatcherDeps) {
  if (event === undefined) return undefined;
  const seq = event.seq ?? (await log.find(session, [event.id])).get(event.id);
  if (seq === undefined) return undefined;
  const old = await log.lastBefore(session, clock.now() - LONGEST_ON_THE_WAY_MS);
  await store.declare(session, endpointId, clock.now(), Math.min(seq - 1, old));
  return await store.get(session, endpointId);
}

async function compiled(
  filter: WebhookConfig['filter'],
  { compileTextPattern }: Pick<DispatcherDeps, 'compileTextPattern'>,
): Promise<EventFilter> {
  if (filter === null || filter === undefined) return {};
  const { chats, textPattern, ...rules } = filter;
  const matches = textPattern ? await compileTextPattern(textPattern) : undefined;
  return {
    ...rules,
    // One that cannot be used was refused when the configuration was written.
    ...(typeof matches === 'function' && { matches }),
    ...(chats?.allow && { allow: chatSet(chats.allow) }),
    ...(chats?.deny && { deny: chatSet(chats.deny) }),
  };
}

function chatSet(chats: readonly string[]): ReadonlySet<string> {
  return new Set(chats.flatMap((chat) => parseChatId(chat) ?? []));
}
