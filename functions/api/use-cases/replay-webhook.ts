import { ulid } from 'ulid';
import { eventFacts } from '#functions/webhook-dispatcher/event-facts.ts';
import { type SetAside, untried } from '#functions/webhook-dispatcher/tried-event.ts';
import type { WebhookEndpointRow } from '#shared/contracts/webhook-rows.ts';
import { type WebhookEndpoint, wantsEvent } from '#shared/contracts/webhooks.ts';
import { ConflictError, NotFoundError, NotSupportedError } from '#shared/domain/errors.ts';
import { WEBHOOK_WINDOW_MS } from '#shared/domain/webhook-schedule.ts';
import type { LoggedEvent, Search, SearchPlace } from '#shared/ports/event-log.ts';
import type { ApiDeps } from '../deps.ts';

type Deps = Pick<ApiDeps, 'webhooks' | 'webhookQueue' | 'eventLog' | 'eventSeqs' | 'clock'>;

export interface Replayed {
  readonly replayed: number;
  /** There may be more behind this `seq`. */
  readonly after: number | null;
}

export interface ReplayRange {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** Where an earlier call has ended. */
  readonly after: number | undefined;
}

const PAGE = 200;
const MOST_EVENTS = 1_000;
/** A request has half a minute, and what is found has to be written yet. */
const SEARCH_MS = 15_000;

/**
 * Delivers events again. They may have been delivered already; the endpoint's filter holds for them. What the endpoint
 * has not come to yet is left out: it comes anyway, and in its order.
 *
 * @throws NotFoundError when the log has one of them no more; ConflictError when the endpoint is disabled;
 *   NotSupportedError when they are too far back to be found by their ids
 */
export async function replayEvents(
  deps: Deps,
  session: string,
  endpoint: WebhookEndpoint,
  ids: readonly string[],
): Promise<Replayed> {
  const row = await rowOf(deps, session, endpoint);
  const seqs = await seqsOf(deps, session, ids);
  const found = await Promise.all(
    ids.map(async (id): Promise<LoggedEvent> => {
      const seq = seqs.get(id);
      const event = seq === undefined ? undefined : (await deps.eventLog.read(session, seq - 1, 1))[0];
      if (event?.envelope.id !== id) throw new NotFoundError(`The log does not have the event '${id}' (any more)`);
      return event;
    }),
  );
  return { replayed: await replay(deps, row, found), after: null };
}

/** The same for what was logged within a time, so much of it as a request has time for. @throws ConflictError as above */
export async function replayRange(
  deps: Deps,
  session: string,
  endpoint: WebhookEndpoint,
  range: ReplayRange,
): Promise<Replayed> {
  const row = await rowOf(deps, session, endpoint);
  const wanted: LoggedEvent[] = [];
  let after = range.after ?? (await deps.eventSeqs.lastBefore(session, range.from));
  let more = after < row.cursor;
  const until = deps.clock.monotonic() + SEARCH_MS;
  // Of many events a webhook may want few: then it is time that ends it.
  while (more && wanted.length + PAGE <= MOST_EVENTS && deps.clock.monotonic() < until) {
    const page = await deps.eventLog.read(session, after, PAGE);
    const within = page.filter(({ loggedAt }) => loggedAt < range.to);
    wanted.push(...within.filter(({ envelope }) => wantsEvent(endpoint.webhook, envelope.event)));
    after = page.at(-1)?.envelope.seq ?? after;
    more = page.length > 0 && within.length === page.length && after < row.cursor;
  }
  return { replayed: await replay(deps, row, wanted), after: more ? after : null };
}

async function seqsOf(
  { eventSeqs, clock }: Pick<Deps, 'eventSeqs' | 'clock'>,
  session: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const seqs = new Map<string, number>();
  const until = clock.monotonic() + SEARCH_MS;
  let from: SearchPlace | undefined;
  do {
    const left = ids.filter((id) => !seqs.has(id));
    if (clock.monotonic() >= until)
      throw new NotSupportedError(`'${left[0]}' is too far back in the log to be found by its id: replay its time`);
    const part: Search = await eventSeqs.findSome(session, left, 'last', from);
    for (const [id, { seq }] of part.found) seqs.set(id, seq);
    from = part.next;
  } while (from !== undefined);
  return seqs;
}

async function rowOf(
  { webhooks, eventSeqs, clock }: Deps,
  session: string,
  { id }: WebhookEndpoint,
): Promise<WebhookEndpointRow> {
  await webhooks.declare(session, id, clock.now(), await eventSeqs.lastBefore(session, Number.POSITIVE_INFINITY));
  const row = await webhooks.get(session, id);
  if (row === undefined) throw new NotFoundError(`The session has no webhook '${id}'`);
  if (row.disabledAt !== undefined) {
    throw new ConflictError('The webhook is disabled: write the configuration of the session again first');
  }
  return row;
}

/** @returns how many are delivered again */
async function replay(
  { webhooks, webhookQueue, clock }: Deps,
  row: WebhookEndpointRow,
  events: readonly LoggedEvent[],
): Promise<number> {
  const { session, endpointId } = row;
  const now = clock.now();
  const deliveries = events
    .filter(({ envelope }) => envelope.seq <= row.cursor)
    .map(
      ({ envelope, loggedAt }): SetAside => ({
        ...untried(envelope, loggedAt, eventFacts(envelope), now),
        giveUpAt: now + WEBHOOK_WINDOW_MS,
      }),
    );
  if (deliveries.length > 0) await webhooks.setAside(row, deliveries);
  // Whoever asks for it knows that the receiver is back.
  await webhooks.enable(session, endpointId);
  await webhookQueue.wake([{ wake: { session, endpointId }, cause: ulid(now) }]);
  return deliveries.length;
}
