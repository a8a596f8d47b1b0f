import * as z from 'zod';
import { findKey } from '#functions/authorizer/authorizer.ts';
import type { IdentifyKey } from '#functions/authorizer/identify-key.ts';
import { ALL_SESSIONS, HEARTBEAT_SECONDS, type StreamTask } from '#shared/contracts/event-stream.ts';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { EventSeqs } from '#shared/ports/event-log.ts';
import type { StreamQueue, StreamStore } from '#shared/ports/event-stream.ts';
import { readStreamRequest, sessionsFor } from '../stream-request.ts';

/** What API Gateway tells of a WebSocket, as far as it is used here. */
const socketEventSchema = z.object({
  headers: z.record(z.string(), z.string().optional()).nullish(),
  queryStringParameters: z.record(z.string(), z.string().optional()).nullish(),
  multiValueQueryStringParameters: z.record(z.string(), z.array(z.string()).optional()).nullish(),
  requestContext: z.object({
    eventType: z.enum(['CONNECT', 'MESSAGE', 'DISCONNECT']),
    connectionId: z.string(),
    domainName: z.string(),
    stage: z.string(),
  }),
});
type SocketEvent = z.infer<typeof socketEventSchema>;

/** What the handshake is answered with; API Gateway passes on nothing but the status. */
interface SocketAnswer {
  readonly statusCode: 200 | 400 | 401 | 403;
}

export interface StreamConnectionsDeps {
  readonly identify: IdentifyKey;
  readonly noteUse: (row: ApiKeyRow) => Promise<void>;
  readonly seqs: Pick<EventSeqs, 'lastBefore'>;
  readonly streams: Pick<StreamStore, 'open' | 'remove'>;
  readonly queue: StreamQueue;
  readonly clock: Pick<Clock, 'now'>;
}

/** Opens and forgets streams. What clients send is not for anybody. */
export function createStreamConnections(deps: StreamConnectionsDeps) {
  return async (input: unknown): Promise<SocketAnswer> => {
    const event = socketEventSchema.parse(input);
    switch (event.requestContext.eventType) {
      case 'CONNECT':
        return { statusCode: await connect(event, deps) };
      case 'DISCONNECT':
        await deps.streams.remove(event.requestContext.connectionId);
        return { statusCode: 200 };
      case 'MESSAGE':
        return { statusCode: 200 };
    }
  };
}

async function connect(event: SocketEvent, deps: StreamConnectionsDeps): Promise<SocketAnswer['statusCode']> {
  const { identify, seqs, streams, queue, clock } = deps;
  const { connectionId, domainName, stage } = event.requestContext;
  const key = findKey(event.headers) ?? findKey(event.queryStringParameters);
  const identified = key === undefined ? undefined : await identify(key);
  if (identified === undefined) return 401;
  const { row, hash } = identified;
  await deps.noteUse(row);
  const request = readStreamRequest(event.multiValueQueryStringParameters);
  if (request === undefined) return 400;
  const sessions = sessionsFor(row, request.sessions);
  if (sessions === undefined) return 403;
  const { events, since } = request;
  const openedAt = clock.now();
  const heartbeatAt = openedAt + HEARTBEAT_SECONDS * 1000;
  // Without `since` it begins behind what is there now; of all sessions that is found out when one has something to tell.
  const known = since.length > 0 || sessions.includes(ALL_SESSIONS) ? [] : sessions;
  const cursors = new Map(
    await Promise.all(
      known.map(async (name) => [name, await seqs.lastBefore(name, Number.POSITIVE_INFINITY)] as const),
    ),
  );
  await streams.open(
    {
      connectionId,
      endpoint: `https://${domainName}/${stage}`,
      keyId: row.id,
      keyHash: hash,
      sessions: [...sessions],
      events: [...events],
      openedAt,
      heartbeatAt,
      ...(since.length > 0 && { since: [...since] }),
    },
    cursors,
  );
  // What was logged since the cursors were read has woken nobody.
  const tasks: readonly StreamTask[] =
    since.length > 0
      ? [{ kind: 'opened', connectionId }]
      : known.map((session) => ({ kind: 'session', connectionId, session }));
  await queue.send(tasks.map((task, index) => ({ task, cause: `opened#${index}` })));
  await queue.sendLater({ kind: 'heartbeat', connectionId, at: heartbeatAt }, HEARTBEAT_SECONDS);
  return 200;
}
