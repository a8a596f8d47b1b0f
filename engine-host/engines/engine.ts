import type { Logger } from 'pino';
import type { Command, CommandOf, CommandType } from '#shared/contracts/commands.ts';
import type { EventBody } from '#shared/contracts/events.ts';
import type { EngineName, Me, SessionConfig } from '#shared/contracts/session.ts';
import type { ChatId } from '#shared/domain/chat-id.ts';
import type { SaidOfAuthor } from '#shared/domain/message-author.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import type { RemoteFiles } from '#shared/ports/remote-file.ts';

/**
 * The port between a session's runner and what speaks WhatsApp for it. One engine object lives for one start of a
 * session: after `stop`, `logout` or a final state it is thrown away.
 */
export interface Engine {
  /** Begins to connect and returns. Never throws: whatever happens is reported as state. */
  start(): void;
  /** Closes the connection, keeps the login. Resolves when nothing more will be sent, reported or changed. */
  stop(): Promise<void>;
  /** Unlinks the device at WhatsApp where possible, then stops. Never throws; the caller drops the auth state. */
  logout(): Promise<void>;
  /** One handler per command type; its keys are the engine's capabilities. */
  readonly handlers: CommandHandlers;
}

export type CommandHandlers = {
  readonly [T in CommandType]?: (command: CommandOf<T>, job: JobContext) => Promise<CommandOutcome>;
};

/** A session's states as engines report them: a state, a machine-readable reason, and what a person can do. */
export type EngineState =
  | { readonly status: 'STARTING'; readonly reason?: string; readonly message?: string }
  | { readonly status: 'SCAN_QR_CODE'; readonly qr: { readonly value: string; readonly expiresAt: number } }
  | { readonly status: 'WORKING'; readonly me: Me }
  /** Final for this engine object. `logged-out` also means: the auth state is worthless. */
  | { readonly status: 'FAILED'; readonly reason: FailureReason; readonly message: string };

export type FailureReason =
  | 'logged-out'
  | 'qr-expired'
  | 'pairing-unproven'
  | 'conflict'
  | 'banned'
  | 'client-outdated'
  | 'engine-crashed';

/** What happened on WhatsApp. `key` and `timestamp` must be the same for the same happening, also after a redelivery. */
export interface EngineEvent {
  readonly body: EventBody;
  /** Unique per session and event name, e.g. a message's long id. */
  readonly key: string;
  /** Milliseconds since 1970 at which it happened. */
  readonly timestamp: number;
  /** Of the job that has made it happen. None where no job has: it is the beginning of a trace. */
  readonly traceparent?: string | undefined;
}

/** A job on its way through an engine. */
export interface JobContext {
  readonly jobId: string;
  /** Goes into the events that come of it, and has to survive the host with them. */
  readonly traceparent: string | undefined;
  /** Id on the wire, decided before the first try. Empty for commands that send no message. */
  readonly messageId: string;
  /** Aborted when the try is over, whatever its handler does: others go on with the job, so nothing of it may leave any more. */
  readonly signal: AbortSignal;
  /** What an earlier try has frozen; must go on the wire as it is. */
  readonly frozen: FrozenContent | undefined;
  /** Freezes the content before anything leaves. Resolves to what is frozen (an earlier try's, where there is one). */
  freeze(content: FrozenContent): Promise<FrozenContent>;
}

export interface FrozenContent {
  /** Protobuf `Message`. */
  readonly content: Uint8Array;
  /** Attributes of the stanza that go with it, e.g. `edit`. */
  readonly wire?: Readonly<Record<string, string>>;
}

export type CommandOutcome =
  /** The server has acknowledged the message. `timestamp` in seconds. */
  | { readonly kind: 'sent'; readonly timestamp: number }
  | { readonly kind: 'done'; readonly result: Record<string, unknown> }
  /** Final: WhatsApp or the input says no. */
  | { readonly kind: 'rejected'; readonly code: string; readonly message: string }
  /** Not now (not connected, timed out without an answer): the same job comes again. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterSeconds: number };

/** What an engine gets from its runner, and all it may touch. */
export interface EngineContext {
  readonly session: string;
  readonly config: SessionConfig;
  readonly state: SessionState;
  readonly media: MediaStore;
  readonly remoteFiles: RemoteFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Throws NotOwnerError when this host may not act for the session any more. Called right before every side effect. */
  assertOwned(): void;
  /**
   * Asks the store, not the clock, whether this host still owns the session, as often as it takes to get an answer.
   * @returns false when it does not: then the engine is stopped soon and must open no connection before that
   */
  confirmOwned(): Promise<boolean>;
  /**
   * Calls back when the session may open a connection: a host, and all hosts together, open only so many in a second.
   * @returns takes the wish back
   */
  onceMayConnect(callback: () => void): () => void;
  /** Reports a state. */
  report(state: EngineState): void;
  /**
   * Hands an event over; order is kept. The runner publishes it after the state change that belongs to it is durable.
   * @param published called once when the bus has accepted the event; never when that can no longer happen here
   */
  emit(event: EngineEvent, published?: () => void): void;
  /** Whether somebody has asked for what the engine's library says (`engine.event`); it may change at any time. */
  wantsEngineEvents(): boolean;
  /**
   * Content of an earlier message of this session, whoever has sent it: what is quoted, forwarded or voted on. Its sender
   * has chosen the id, so whose message it is has to be said where it matters.
   */
  contentOf(messageId: string, author: SaidOfAuthor): Promise<Uint8Array | undefined>;
  /**
   * Content of an earlier message of the account's own that went to one of these chats: what may be sent there again.
   * @param chatIds one chat, by each of its addresses
   */
  sentContent(messageId: string, chatIds: readonly ChatId[]): Promise<Uint8Array | undefined>;
}

export interface EngineFactory {
  readonly name: EngineName;
  readonly capabilities: ReadonlySet<Command['type']>;
  create(context: EngineContext): Engine;
  /**
   * What has to change in a state that comes from a backup before an engine may use it: the account may have gone on since, so
   * nothing that must be used only once may be taken from it.
   * @param now milliseconds since 1970
   * @default nothing
   */
  readonly afterRestore?: (state: Pick<SessionState, 'get' | 'keys'>, now: number) => readonly StateChange[];
}

/** Position in a session's log of state changes. */
export type Mark = number;

/**
 * A session's auth state: a map of keys to bytes with a log in front. `append` is synchronous and gives a mark;
 * `durable(mark)` resolves when everything up to it would survive the host. The values are the engine's business.
 */
export interface SessionState {
  get(key: string): Uint8Array | undefined;
  /** Keys that begin with `prefix`. */
  keys(prefix: string): readonly string[];
  /** Applies the changes at once, in one record; `null` deletes. Values are copied. */
  append(changes: readonly StateChange[]): Mark;
  /** @throws NotOwnerError when the state belongs to somebody else by now */
  durable(mark: Mark): Promise<void>;
  /** Mark of the newest change. */
  readonly head: Mark;
}

export interface StateChange {
  readonly key: string;
  readonly value: Uint8Array | null;
}
