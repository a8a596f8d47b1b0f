import PQueue from 'p-queue';
import { ALL_SESSIONS } from '#shared/contracts/event-stream.ts';
import type { StreamRow } from '#shared/contracts/rows.ts';
import type { EventLog } from '#shared/ports/event-log.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';

/** Questions to the log at a time. */
const AT_ONCE = 16;
/** So much earlier begin sessions that no event was named of: what was on its way when the stream was cut may be that old. */
const MARGIN_MS = 60_000;

export interface StreamStartDeps {
  readonly log: Pick<EventLog, 'find' | 'read' | 'lastBefore'>;
  readonly sessions: Pick<SessionStore, 'list'>;
}

export type StreamStart =
  | { readonly kind: 'found'; readonly cursors: ReadonlyMap<string, number> }
  /** No session of the stream has this event, or has it any more. */
  | { readonly kind: 'unknown'; readonly eventId: string };

/**
 * Where a stream goes on that names the last events it had: behind them in their sessions, and in the others a minute before
 * the oldest of them was logged.
 */
export async function findStreamStart(
  { sessions: wanted, since = [] }: StreamRow,
  { log, sessions }: StreamStartDeps,
): Promise<StreamStart> {
  const names = wanted.includes(ALL_SESSIONS) ? (await sessions.list()).map(({ name }) => name) : wanted;
  const questions = new PQueue({ concurrency: AT_ONCE });
  const places = new Map<string, { readonly name: string; readonly seq: number }>();
  await questions.addAll(
    names.map((name) => async () => {
      // An id is of one session: what was found need not be looked for in the next.
      const wanted = since.filter((id) => !places.has(id));
      for (const [id, seq] of await log.find(name, wanted)) places.set(id, { name, seq });
    }),
  );
  const unknown = since.find((id) => !places.has(id));
  if (unknown !== undefined) return { kind: 'unknown', eventId: unknown };
  const cursors = new Map<string, number>();
  for (const { name, seq } of places.values()) cursors.set(name, Math.max(seq, cursors.get(name) ?? 0));
  const times = await questions.addAll(
    [...places.values()].map(
      ({ name, seq }) =>
        async () =>
          (await log.read(name, seq - 1, 1))[0]?.loggedAt ?? 0,
    ),
  );
  const from = Math.min(...times) - MARGIN_MS;
  const others = await questions.addAll(
    names
      .filter((name) => !cursors.has(name))
      .map((name) => async () => [name, await log.lastBefore(name, from)] as const),
  );
  return { kind: 'found', cursors: new Map([...cursors, ...others]) };
}
