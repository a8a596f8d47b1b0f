import * as z from 'zod';
import { ALL_SESSIONS } from '#shared/contracts/event-stream.ts';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import { eventTime } from '#shared/domain/event-id.ts';
import { isSessionName } from '#shared/domain/session-name.ts';

const MOST_NAMES = 100;
/** About as many as API Gateway takes in a query. */
const MOST_IDS = 200;
const values = z.record(z.string(), z.array(z.string()).optional()).nullish();

const querySchema = z.object({
  session: z.array(z.string().refine((name) => name === ALL_SESSIONS || isSessionName(name))).max(MOST_NAMES),
  events: z.array(z.string().regex(/^(\*|[a-z0-9.]{1,64})$/)).max(MOST_NAMES),
  since: z.array(z.string().refine((id) => eventTime(id) !== undefined)).max(MOST_IDS),
});

/** What a stream is to have: WAHA's query, and ours. */
export interface StreamRequest {
  /** Names, or `*` alone. */
  readonly sessions: readonly string[];
  readonly events: readonly string[];
  /** Ids of the last events of an earlier stream. */
  readonly since: readonly string[];
}

/** Each may be repeated, or have several values with commas between. @returns undefined when it is none */
export function readStreamRequest(query: z.infer<typeof values>): StreamRequest | undefined {
  const all = (name: string) => (query?.[name] ?? []).flatMap((value) => value.split(',')).filter((one) => one !== '');
  const parsed = querySchema.safeParse({ session: all('session'), events: all('events'), since: all('since') });
  if (!parsed.success) return undefined;
  const { session, events, since } = parsed.data;
  const isForAll = session.length === 0 || session.includes(ALL_SESSIONS);
  return {
    sessions: isForAll ? [ALL_SESSIONS] : [...new Set(session)],
    events: events.length === 0 ? ['*'] : [...new Set(events)],
    since: [...new Set(since)],
  };
}

/** The sessions that a key gets of those that were asked for; undefined when it may not have them. */
export function sessionsFor(key: ApiKeyRow, wanted: readonly string[]): readonly string[] | undefined {
  if (!key.isActive || !(key.isAdmin || key.actions.includes('read'))) return undefined;
  if (key.isAdmin || key.session === null) return wanted;
  if (wanted.includes(ALL_SESSIONS)) return [key.session];
  return wanted.every((name) => name === key.session) ? wanted : undefined;
}
