import type { Logger } from 'pino';
import type { EngineName } from '#shared/contracts/session.ts';
import type { PacingProfile } from '#shared/domain/pacing-profiles.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { EventLog } from '#shared/ports/event-log.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import type { MessageStore } from '#shared/ports/read-models.ts';
import type { RemoteFiles } from '#shared/ports/remote-file.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';
import type { CheckpointStore } from '#shared/ports/state-store.ts';
import type { EngineFactory } from '../engines/engine.ts';
import type { ShardLease } from '../host/lease.ts';
import type { EndingDeps } from '../jobs/end-open-jobs.ts';
import type { EventPublisher } from './event-publisher.ts';
import type { JournalStores } from './session-journal.ts';

/** What all runners of a host share. */
export interface SessionRunnerDeps extends JournalStores {
  readonly hostId: string;
  readonly version: string;
  /** Address of the HTTP API, for links in events. */
  readonly publicUrl: string;
  readonly clock: Clock;
  readonly sessions: SessionStore;
  readonly checkpoints: CheckpointStore;
  readonly checkpointInterval: number;
  /** Milliseconds that a session's end waits for the bus. */
  readonly publishPatience: number;
  readonly media: MediaStore;
  readonly remoteFiles: RemoteFiles;
  readonly messages: Pick<MessageStore, 'get'>;
  /** What a session has not done when it is deleted, ends. */
  readonly jobs: EndingDeps['jobs'];
  /** Forget a session when it is deleted. */
  readonly readModels: readonly { clear(session: string): Promise<void> }[];
  /** What it has of a session that is deleted goes too. */
  readonly eventLog: Pick<EventLog, 'lastBefore' | 'deleteSome'>;
  readonly publisher: EventPublisher;
  readonly engines: ReadonlyMap<EngineName, EngineFactory>;
  /** For sessions whose configuration names no profile. */
  readonly pacingProfile: PacingProfile;
  /** Holds a start back while too many others are being restored. */
  readonly startTurn: <T>(start: () => Promise<T>) => Promise<T>;
  /** Calls back when one more connection may be opened. @returns takes the wish back */
  readonly onceMayConnect: (callback: () => void) => () => void;
}

/** What is one runner's own. */
export interface SessionRunnerPlace {
  readonly name: string;
  readonly lease: ShardLease;
  readonly logger: Logger;
  /** Called each time the session has become WORKING. */
  readonly onWorking: () => void;
  /** Called once when nothing is left to be run: stopped, removed or fenced. */
  readonly onGone: () => void;
}
