import type { Logger } from 'pino';
import type { EngineName } from '#shared/contracts/session.ts';
import type { WebhookConfig } from '#shared/contracts/webhooks.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';
import type { AuditLog } from '#shared/ports/audit-log.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { EventLog, EventSeqs } from '#shared/ports/event-log.ts';
import type { JobStore } from '#shared/ports/job-store.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import type { ChatStore, MessageStore } from '#shared/ports/read-models.ts';
import type { SessionSignals } from '#shared/ports/session-signals.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';
import type { ShardQueue } from '#shared/ports/shard-queue.ts';
import type { RuleBrokenBy } from '#shared/ports/target-rule.ts';
import type { CompileTextPattern } from '#shared/ports/text-pattern.ts';
import type { WebhookQueue } from '#shared/ports/webhook-queue.ts';
import type { WebhookStore } from '#shared/ports/webhook-store.ts';
import type { SignedCaller } from './signed-caller.ts';
import type { Backlog } from './use-cases/backlog.ts';

/** Everything the API's functions need, ports only. A group of operations is given what it names of it. */
export interface ApiDeps {
  readonly sessions: SessionStore;
  readonly jobs: JobStore;
  readonly queue: Pick<ShardQueue, 'send' | 'depth'>;
  readonly signals: SessionSignals;
  readonly backlog: Backlog;
  readonly messages: MessageStore;
  readonly chats: ChatStore;
  readonly media: MediaStore;
  readonly webhooks: WebhookStore;
  readonly webhookQueue: WebhookQueue;
  /** What a replay takes events from. */
  readonly eventLog: Pick<EventLog, 'read'>;
  readonly eventSeqs: EventSeqs;
  /** Of the URLs of webhooks. */
  readonly ruleBrokenBy: RuleBrokenBy;
  readonly compileTextPattern: CompileTextPattern;
  readonly keys: ApiKeyStore;
  readonly signedCaller: SignedCaller;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly config: ApiConfig;
}

/** What accepting a job and waiting for it takes. */
export type JobDeps = Pick<ApiDeps, 'sessions' | 'jobs' | 'queue' | 'backlog' | 'clock' | 'config'>;

export type ChattingDeps = JobDeps & Pick<ApiDeps, 'messages' | 'media'>;
export type ChatsDeps = JobDeps & Pick<ApiDeps, 'messages' | 'chats' | 'logger'>;

/** What the life of sessions takes. */
export type SessionsDeps = Pick<
  ApiDeps,
  | 'sessions'
  | 'messages'
  | 'chats'
  | 'webhooks'
  | 'webhookQueue'
  | 'eventSeqs'
  | 'ruleBrokenBy'
  | 'compileTextPattern'
  | 'keys'
  | 'queue'
  | 'signals'
  | 'clock'
  | 'logger'
  | 'config'
>;

export interface ApiConfig {
  readonly version: string;
  /** Engine of new sessions. */
  readonly engine: EngineName;
  /** Shards of the engine's pool that new sessions are spread over. */
  readonly shards: readonly string[];
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Address of the API for links in answers; undefined: as the request's client sees it. */
  readonly publicUrl: string | undefined;
  /** How long stop and delete wait for the host, milliseconds. */
  readonly ownerWaitMs: number;
  /** How long a call waits for the session to come into the state it needs, milliseconds. */
  readonly stateWaitMs: number;
  /** How long a command waits for its result unless the client says otherwise, milliseconds. */
  readonly commandWaitMs: number;
  /** Open jobs of a session from which on no more sends are accepted. */
  readonly sessionBacklogCap: number;
  /** Messages on a shard's queue from which on nothing more is accepted. */
  readonly shardBacklogCap: number;
  /** The installation's own webhook, which every session has. */
  readonly globalWebhook: WebhookConfig | undefined;
  /** Hosts that media may be fetched from although they are private, on any port. */
  readonly mediaPrivateHosts: ReadonlySet<string>;
  /** How long the audit log is kept. */
  readonly auditDays: number;
}

/** SQS looks at the first 120,000 messages of a FIFO queue; what is behind them would wait for sessions that stand still. */
export const DEFAULT_CAPS = { sessionBacklogCap: 10_000, shardBacklogCap: 100_000 } as const;

export const DEFAULT_WAITS = { ownerWaitMs: 10_000, stateWaitMs: 3_000, commandWaitMs: 20_000 } as const;
