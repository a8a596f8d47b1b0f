import { ALL_SESSIONS } from '#shared/contracts/event-stream.ts';
import type { StreamRow, StreamStart } from '#shared/contracts/rows.ts';
import { eventTime } from '#shared/domain/event-id.ts';
import type { EventLog } from '#shared/ports/event-log.ts';
import type { StreamQueue, StreamStore } from '#shared/ports/event-stream.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';

/** Sessions that are looked at side by side. */
const AT_ONCE = 16;
/** Turns that are ordered together. */
const TURNS = 100;
/** So much earlier begin sessions that no event was named of: what was on its way when the stream was cut may be that old. */
const MARGIN_MS = 60_000;

export interface StreamStartDeps {
  readonly log: Pick<EventLog, 'findSome' | 'lastBefore'>;
  readonly sessions: Pick<SessionStore, 'list'>;
  readonly streams: Pick<StreamStore, 'moveCursor'>;
  readonly queue: Pick<StreamQueue, 'send'>;
}

type StartProgress =
  /** `missing`: events that no session of the stream has (any more), as soon as that is known. */
  | { readonly kind: 'more'; readonly start: StreamStart; readonly missing?: readonly string[] }
  | { readonly kind: 'done' }
  /** None of the events is there (any more), as this one. */
  | { readonly kind: 'unknown'; readonly eventId: string };

type Step<Name extends StreamStart['step']> = Extract<StreamStart, { readonly step: Name }>;

/**
 * Lets a stream go on that names the last events it had: behind them in their sessions, and in the others a minute before the oldest
 * of them was logged. Of an event that was told more than once it may have had the first telling alone, and not what lies between that and
 * the next. An event that is not there (any more) does not tell its session, so one of these others is it: they begin before
 * that event happened too. Takes some of the way, from where `stream.start` is; to be called again with what it gives back. What was done
 * and not kept may be done again.
 *
 * @param isOver whether the time is up; it is asked after each part of the way, and one is always taken
 */
export async function goOnWithStart(
  stream: StreamRow,
  deps: StreamStartDeps,
  isOver: () => boolean,
): Promise<StartProgress> {
  const names = await namesOf(stream, deps);
  let progress = await takePart(stream.start ?? { step: 'search', open: [], found: [] }, names, stream, deps);
  while (progress.kind === 'more' && progress.missing === undefined && !isOver())
    progress = await takePart(progress.start, names, stream, deps);
  return progress;
}

/** In an order in which one can go on after a name, whatever sessions come and go. */
async function namesOf({ sessions: wanted }: StreamRow, { sessions }: StreamStartDeps): Promise<readonly string[]> {
  const names = wanted.includes(ALL_SESSIONS) ? (await sessions.list()).map(({ name }) => name) : wanted;
  return names.toSorted();
}

function takePart(
  start: StreamStart,
  names: readonly string[],
  stream: StreamRow,
  deps: StreamStartDeps,
): Promise<StartProgress> {
  const { after } = start;
  const rest = after === undefined ? names : names.filter((name) => name > after);
  switch (start.step) {
    case 'search':
      return search(start, rest, stream, deps);
    case 'cursors':
      return setCursors(start, rest, stream, deps);
    case 'turns':
      return orderTurns(rest, stream, deps);
  }
}

async function search(
  { after, open, found: before }: Step<'search'>,
  rest: readonly string[],
  { since = [] }: StreamRow,
  { log }: StreamStartDeps,
): Promise<StartProgress> {
  const isKnown = new Set(before.map(({ id }) => id));
  const left = since.filter((id) => !isKnown.has(id));
  const fresh = left.length === 0 ? [] : rest.slice(0, AT_ONCE - open.length);
  const round: Step<'search'>['open'] = [...open, ...fresh.map((session) => ({ session }))];
  if (round.length === 0) {
    const [missing] = left;
    if (missing !== undefined && before.length === 0) return { kind: 'unknown', eventId: missing };
    const start: StreamStart = { step: 'cursors', found: before, from: beginning(before, left) };
    return { kind: 'more', start, ...(missing !== undefined && { missing: left }) };
  }
  const parts = await Promise.all(
    round.map(async ({ session, from }) => {
      // An id is of one session: what was found there need not be looked for in another.
      const own = before.flatMap((event) => (event.session === session ? [event.id] : []));
      return { session, ...(await log.findSome(session, [...left, ...own], 'first', from)) };
    }),
  );
  // What was found before may have been told earlier yet.
  const found = new Map(before.map((event) => [event.id, event]));
  for (const { session, found: ofPart } of parts)
    for (const [id, place] of ofPart) found.set(id, { id, session, ...place });
  const isIn = new Set([...found.values()].map(({ session }) => session));
  const hasAll = found.size === since.length;
  const last = fresh.at(-1) ?? after;
  return {
    kind: 'more',
    start: {
      step: 'search',
      ...(last !== undefined && { after: last }),
      open: parts.flatMap(({ session, next: from }) =>
        from === undefined || (hasAll && !isIn.has(session)) ? [] : [{ session, from }],
      ),
      found: [...found.values()],
    },
  };
}

/** From when on a session has something for the stream that none of the found events is of. */
function beginning(found: Step<'cursors'>['found'], missing: readonly string[]): number {
  const times = [...found.map(({ loggedAt }) => loggedAt), ...missing.flatMap((id) => eventTime(id) ?? [])];
  return Math.min(...times) - MARGIN_MS;
}

async function setCursors(
  { found, from = beginning(found, []) }: Step<'cursors'>,
  rest: readonly string[],
  { connectionId }: StreamRow,
  { log, streams }: StreamStartDeps,
): Promise<StartProgress> {
  const named = new Map<string, number>();
  for (const { session, seq } of found) named.set(session, Math.max(seq, named.get(session) ?? 0));
  const round = rest.slice(0, AT_ONCE);
  await Promise.all(
    round.map(async (name) =>
      streams.moveCursor(connectionId, name, named.get(name) ?? (await log.lastBefore(name, from))),
    ),
  );
  const after = round.at(-1);
  return { kind: 'more', start: after === undefined ? { step: 'turns' } : { step: 'cursors', found, from, after } };
}

async function orderTurns(
  rest: readonly string[],
  { connectionId, heartbeatAt }: StreamRow,
  { queue }: StreamStartDeps,
): Promise<StartProgress> {
  const round = rest.slice(0, TURNS);
  // Whoever is interrupted before this is kept orders the same ones again.
  await queue.send(
    round.map((session) => ({
      task: { kind: 'session', connectionId, session },
      cause: `started#${heartbeatAt}#${session}`,
    })),
  );
  const after = round.at(-1);
  return after === undefined ? { kind: 'done' } : { kind: 'more', start: { step: 'turns', after } };
}
