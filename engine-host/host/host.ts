import PQueue from 'p-queue';
import type { Logger } from 'pino';
import { shardIds } from '#shared/contracts/resources.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { EventBus } from '#shared/ports/event-bus.ts';
import type { EventLog } from '#shared/ports/event-log.ts';
import type { JobStore } from '#shared/ports/job-store.ts';
import type { MediaStore } from '#shared/ports/media-store.ts';
import type { OwnershipStore } from '#shared/ports/ownership-store.ts';
import type { MessageStore } from '#shared/ports/read-models.ts';
import type { RemoteFiles } from '#shared/ports/remote-file.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';
import type { ShardQueue } from '#shared/ports/shard-queue.ts';
import type { CheckpointStore } from '#shared/ports/state-store.ts';
import type { TaskProtection } from '#shared/ports/task-protection.ts';
import type { EngineFactory } from '../engines/engine.ts';
import { Slots } from '../jobs/slots.ts';
import { EventPublisher } from '../sessions/event-publisher.ts';
import type { JournalStores } from '../sessions/session-journal.ts';
import type { HostConfig } from './config.ts';
import { ConnectLimiter } from './connect-limiter.ts';
import type { Heartbeat } from './heartbeat/heartbeat.ts';
import { LoggedEventBus } from './logged-event-bus.ts';
import { type OwnerFigures, ShardOwner, type ShardOwnerDeps } from './shard-owner.ts';
import { ShardRuntime, type ShardRuntimeDeps } from './shard-runtime.ts';
import { TaskGuard } from './task-guard.ts';

export interface HostDeps extends JournalStores {
  readonly config: Pick<
    HostConfig,
    | 'hostId'
    | 'pool'
    | 'shardCount'
    | 'jobsInFlight'
    | 'startParallelism'
    | 'connectsPerSecond'
    | 'pacingProfile'
    | 'publicUrl'
    | 'timings'
  >;
  /** ARN of the ECS task that it is; undefined where there is none. */
  readonly task?: string | undefined;
  /** Of the platform, for the envelope of events. */
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ownership: OwnershipStore;
  readonly heartbeat: Heartbeat;
  readonly sessions: SessionStore;
  readonly jobs: JobStore;
  readonly queue: ShardQueue;
  readonly checkpoints: CheckpointStore;
  readonly media: MediaStore;
  readonly remoteFiles: RemoteFiles;
  readonly eventLog: EventLog;
  readonly bus: EventBus;
  readonly messages: Pick<MessageStore, 'get'>;
  /** Read models that forget a session when it is deleted. */
  readonly readModels: readonly { clear(session: string): Promise<void> }[];
  readonly engines: readonly EngineFactory[];
  /** Where there is a platform that would otherwise end this process when it needs fewer. */
  readonly taskProtection?: TaskProtection;
  readonly pulse?: ShardOwnerDeps['pulse'];
}

export interface Host {
  readonly hostId: string;
  /** Shards that it has at the moment. */
  readonly shards: readonly string[];
  readonly figures: OwnerFigures & {
    /** Events that the log or the bus has not taken yet. */
    readonly eventsWaiting: number;
  };
  /**
   * Finishes running jobs, stops every engine with its state saved and its events published, and gives the shards
   * back. Resolves when that is done, at the latest after `timings.drain`. Never rejects.
   */
  drain(): Promise<void>;
  /** Resolves when the host has drained. */
  readonly closed: Promise<void>;
}

/**
 * Registers a host and begins to run its share of the sessions.
 * @throws what the stores throw when they cannot be reached
 */
export async function startHost(deps: HostDeps): Promise<Host> {
  const { config, clock, logger } = deps;
  const { hostId, pool, timings } = config;
  const { host: perHost, fleet: perFleet } = config.connectsPerSecond;
  const connects = new ConnectLimiter({ clock, perHost, perFleet });
  const protection = deps.taskProtection;
  const guard = protection && new TaskGuard({ protection, clock, logger });
  const starts = new PQueue({ concurrency: config.startParallelism });
  const publisher = new EventPublisher(new LoggedEventBus(deps.eventLog, deps.bus), logger);
  const runtime: ShardRuntimeDeps = {
    ...deps,
    hostId,
    engines: new Map(deps.engines.map((factory) => [factory.name, factory])),
    checkpointInterval: timings.checkpointInterval,
    publishPatience: timings.publishPatience,
    scanInterval: timings.scan,
    pacingProfile: config.pacingProfile,
    publicUrl: config.publicUrl,
    publisher,
    slots: new Slots(config.jobsInFlight),
    suspects: new PQueue({ concurrency: 1 }),
    startTurn: (start) => starts.add(start),
    onceMayConnect: (callback) => connects.once(callback),
  };
  const owner = new ShardOwner({
    hostId,
    task: deps.task,
    pool,
    shards: shardIds(pool, config.shardCount),
    store: deps.ownership,
    heartbeat: deps.heartbeat,
    clock,
    timings,
    logger,
    onLook: ({ liveHosts, pairing }) => {
      connects.share(liveHosts);
      guard?.look(pairing);
    },
    pulse: deps.pulse,
    admit: (lease) => {
      const shard = new ShardRuntime(lease, runtime);
      shard.start();
      return shard;
    },
  });
  await owner.start();
  const closed = Promise.withResolvers<void>();
  let draining: Promise<void> | undefined;
  return {
    hostId,
    get shards() {
      return owner.shards;
    },
    get figures() {
      return { ...owner.figures, eventsWaiting: publisher.figures.waiting };
    },
    drain: () => {
      draining ??= owner
        .drain(timings.drain)
        .then(() => guard?.release())
        .then(closed.resolve);
      return draining;
    },
    closed: closed.promise,
  };
}
