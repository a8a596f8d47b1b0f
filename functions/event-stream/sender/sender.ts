import { isDeepStrictEqual } from 'node:util';
import { hasHash, isGranted } from '#functions/authorizer/key-validity.ts';
import { HEARTBEAT_SECONDS, type StreamEndReason, type StreamTask } from '#shared/contracts/event-stream.ts';
import type { StreamRow } from '#shared/contracts/rows.ts';
import { type Logger, tag } from '#shared/observability/logger.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { EventLog } from '#shared/ports/event-log.ts';
import type { StreamQueue, StreamSockets, StreamStore } from '#shared/ports/event-stream.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';
import { sessionsFor } from '../stream-request.ts';
import { closed, frameOf, gap, heartbeat, wants } from './frame.ts';
import { goOnWithStart } from './stream-start.ts';

const PAGE = 25;
/** One task takes little longer than this: a batch of them, and a post that hangs, fit into the function's timeout. */
const TURN_MS = 2_500;
/** A reader that has taken nothing for so long is cut off. */
const SLOW_MS = 10_000;
const RETRY_SECONDS = 1;
/** API Gateway knows a connection only when its handshake is over. */
const HANDSHAKE_MS = 10_000;

const SENTENCES: Readonly<Record<StreamEndReason, string>> = {
  'since-unknown': 'No session of this stream has any of the events that it is to go on after, or has them any more',
  'key-revoked': 'The key does not open this stream any more',
  'slow-reader': 'Nothing was read for ten seconds. Go on with `since`',
};

export interface StreamSenderDeps {
  readonly log: Pick<EventLog, 'findSome' | 'read' | 'lastBefore'>;
  readonly streams: StreamStore;
  readonly queue: StreamQueue;
  readonly sockets: StreamSockets;
  readonly keys: Pick<ApiKeyStore, 'get'>;
  readonly sessions: Pick<SessionStore, 'get' | 'list'>;
  readonly media: Pick<MediaStore, 'put' | 'presignedUrl'>;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info'>;
}

/** Writes to streams what the log has behind their cursors. Tasks of one stream are done one after the other. */
export class StreamSender {
  readonly #deps: StreamSenderDeps;

  constructor(deps: StreamSenderDeps) {
    this.#deps = deps;
  }

  async do(task: StreamTask): Promise<void> {
    const stream = await this.#deps.streams.get(task.connectionId);
    if (stream === undefined) return;
    // What an event wakes looks at the key when there is something to write.
    if (task.kind !== 'session' && !(await this.#isOpenTo(stream))) return this.#end(stream, 'key-revoked');
    switch (task.kind) {
      case 'opened':
        return this.#start(stream);
      case 'session':
        // Until it is known where it begins; then each session has its turn.
        if (stream.since !== undefined) return;
        return this.#goOn(stream, [task.session], task.seq);
      case 'retry':
        return this.#retry(stream);
      case 'heartbeat':
        return this.#heartbeat(stream, task.at);
    }
  }

  /** Whether its key still opens it. */
  async #isOpenTo({ keyId, keyHash, sessions }: StreamRow): Promise<boolean> {
    const { keys, clock } = this.#deps;
    const row = await keys.get(keyId);
    if (row === undefined || !hasHash(row, keyHash, clock.now())) return false;
    // One that is for fewer sessions now opens another stream, not this one.
    return isDeepStrictEqual(sessionsFor(row, sessions), sessions) && (await isGranted(row, this.#deps));
  }

  async #start(stream: StreamRow): Promise<void> {
    const { streams, queue, clock } = this.#deps;
    const { connectionId, since } = stream;
    if (since === undefined && stream.start === undefined) return;
    const until = clock.monotonic() + TURN_MS;
    const progress = await goOnWithStart(stream, this.#deps, () => clock.monotonic() >= until);
    if (progress.kind === 'unknown') return this.#end(stream, 'since-unknown', progress.eventId);
    const begun = { since: null, ...(since !== undefined && { had: since }) } as const;
    if (progress.kind === 'done') return streams.update(connectionId, { ...begun, start: null });
    const { start, missing } = progress;
    if (missing !== undefined) {
      const outcome = await this.#send(stream, gap(clock.now(), missing));
      if (outcome === 'gone') return streams.remove(connectionId);
      if (outcome === 'busy') return queue.sendLater({ kind: 'opened', connectionId }, RETRY_SECONDS);
    }
    // Every session has its cursor then, and may have its turn.
    await streams.update(connectionId, { start, ...(start.step === 'turns' && begun) });
    await queue.send([{ task: { kind: 'opened', connectionId }, cause: `start#${clock.now()}` }]);
  }

  async #retry({ slow, ...stream }: StreamRow): Promise<void> {
    if (slow !== undefined) await this.#goOn(stream, slow.sessions, undefined, slow.since);
  }

  /** @param slowSince from when on the other end has taken nothing */
  async #goOn(stream: StreamRow, sessions: readonly string[], seq?: number, slowSince?: number): Promise<void> {
    const { streams, queue, clock } = this.#deps;
    const { connectionId, slow } = stream;
    if (slow !== undefined) {
      const waiting = [...new Set([...slow.sessions, ...sessions])];
      // When they have their turn nobody knows any more what woke them.
      for (const session of sessions) await this.#cursorIn(stream, session, seq);
      return streams.update(connectionId, { slow: { ...slow, sessions: waiting } });
    }
    const until = clock.monotonic() + TURN_MS;
    const left = [...sessions];
    const told = new Set(stream.had);
    let sent = 0;
    for (let next = left[0]; next !== undefined; next = left[0]) {
      const turn = await this.#writeOn(stream, next, until, told, seq);
      sent += turn.sent;
      if (turn.end === 'gone') return streams.remove(connectionId);
      if (turn.end === 'revoked') return this.#end(stream, 'key-revoked');
      if (turn.end === 'busy') {
        const since = sent > 0 || slowSince === undefined ? clock.now() : slowSince;
        if (clock.now() - since > SLOW_MS) return this.#end(stream, 'slow-reader');
        await queue.sendLater({ kind: 'retry', connectionId }, RETRY_SECONDS);
        return streams.update(connectionId, { slow: { since, sessions: left } });
      }
      if (turn.end === 'done') left.shift();
      if (clock.monotonic() >= until) break;
    }
    // Not by their cursors: one that had no turn may stand where it stood the last time.
    const now = clock.now();
    await queue.send(
      left.map((session) => ({ task: { kind: 'session', connectionId, session }, cause: `more#${session}#${now}` })),
    );
    if (slowSince !== undefined) await streams.update(connectionId, { slow: null });
  }

  /** @param told ids of events that the other end has; those that it gets are added */
  async #writeOn(
    stream: StreamRow,
    session: string,
    until: number,
    told: Set<string>,
    seq: number | undefined,
  ): Promise<{ readonly end: 'done' | 'more' | 'busy' | 'gone' | 'revoked'; readonly sent: number }> {
    const { log, streams, clock } = this.#deps;
    let cursor = await this.#cursorIn(stream, session, seq);
    let sent = 0;
    const keep = () => streams.moveCursor(stream.connectionId, session, cursor);
    for (;;) {
      const page = await log.read(session, cursor, PAGE);
      if (page.length === 0) return { end: 'done', sent };
      if (!(await this.#isOpenTo(stream))) return { end: 'revoked', sent };
      try {
        for (const { envelope } of page) {
          if (wants(stream.events, envelope) && !told.has(envelope.id)) {
            const outcome = await this.#post(stream, envelope);
            if (outcome !== 'sent') return { end: outcome, sent };
            told.add(envelope.id);
            sent += 1;
          }
          cursor = envelope.seq;
          if (clock.monotonic() >= until) return { end: 'more', sent };
        }
      } finally {
        await keep();
      }
      // What comes behind it wakes the stream itself.
      if (page.length < PAGE) return { end: 'done', sent };
    }
  }

  /**
   * How far a stream is in a session. One of all sessions that meets this one for the first time begins with what was logged since it
   * is open, and with the event that woke it: the clock of who logged that may be behind.
   */
  async #cursorIn({ connectionId, openedAt }: StreamRow, session: string, seq = Number.POSITIVE_INFINITY) {
    const { log, streams } = this.#deps;
    const known = await streams.cursor(connectionId, session);
    if (known !== undefined) return known;
    const begin = Math.min(seq - 1, await log.lastBefore(session, openedAt));
    await streams.moveCursor(connectionId, session, begin);
    return begin;
  }

  async #post(stream: StreamRow, envelope: Parameters<typeof frameOf>[0]): Promise<'sent' | 'busy' | 'gone'> {
    return this.#send(stream, await frameOf(envelope, this.#deps.media));
  }

  async #send(stream: StreamRow, text: string): Promise<'sent' | 'busy' | 'gone'> {
    const { sockets, clock } = this.#deps;
    const outcome = await sockets.post(stream, text);
    return outcome === 'gone' && clock.now() - stream.openedAt < HANDSHAKE_MS ? 'busy' : outcome;
  }

  async #heartbeat(stream: StreamRow, at: number): Promise<void> {
    const { streams, queue, clock } = this.#deps;
    const { connectionId } = stream;
    // Of an earlier chain of them.
    if (at < stream.heartbeatAt) return;
    const outcome = stream.slow === undefined ? await this.#send(stream, heartbeat(clock.now())) : 'busy';
    if (outcome === 'gone') return streams.remove(connectionId);
    const heartbeatAt = clock.now() + HEARTBEAT_SECONDS * 1000;
    await queue.sendLater({ kind: 'heartbeat', connectionId, at: heartbeatAt }, HEARTBEAT_SECONDS);
    await streams.update(connectionId, { heartbeatAt });
    // The tasks that were to do it may have been lost.
    await this.#start({ ...stream, heartbeatAt });
    await this.#retry(stream);
  }

  /** Closing a connection of API Gateway says no reason, so a last message does. */
  async #end(stream: StreamRow, reason: StreamEndReason, detail?: string): Promise<void> {
    const { sockets, streams, clock, logger } = this.#deps;
    const sentence = SENTENCES[reason];
    const message = detail === undefined ? sentence : `${sentence}: ${detail}`;
    const told = await sockets.post(stream, closed(clock.now(), reason, message));
    logger.info({ reason, told, connection: tag(stream.connectionId) }, 'stream ended');
    await sockets.close(stream);
    await streams.remove(stream.connectionId);
  }
}
