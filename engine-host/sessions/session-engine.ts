import type { SessionRow } from '#shared/contracts/rows.ts';
import { wantsEngineEvents } from '#shared/contracts/session.ts';
import { NotOwnerError } from '#shared/domain/errors.ts';
import type { CommandHandlers, Engine, EngineEvent, EngineFactory, EngineState } from '../engines/engine.ts';
import { isLost, whileOwned } from '../host/lease.ts';
import type { OpenSession } from './open-session.ts';
import { engineConfiguration } from './reconcile-plan.ts';
import type { SentContents } from './sent-contents.ts';
import type { SessionRunnerDeps, SessionRunnerPlace } from './session-runner-deps.ts';

/** How long a session that is not connected may take to connect, only to be unlinked. */
const UNLINK_PATIENCE_MS = 15_000;

export interface SessionEngineOptions {
  readonly place: Pick<SessionRunnerPlace, 'name' | 'lease' | 'logger'>;
  readonly deps: Pick<SessionRunnerDeps, 'media' | 'remoteFiles' | 'clock' | 'onceMayConnect'>;
  /** As last read. */
  readonly row: () => SessionRow | undefined;
  /** What is at hand of the session. An engine that was made for anything else owns nothing any more. */
  readonly open: () => OpenSession | undefined;
  readonly sent: Pick<SentContents, 'get' | 'getSent'>;
  readonly emit: (open: OpenSession, event: EngineEvent, published?: () => void) => void;
}

/** An engine as a job finds it. */
export interface EngineAtWork {
  readonly handlers: CommandHandlers;
  /** Aborted when it does nothing any more. */
  readonly stopped: AbortSignal;
}

interface RunningEngine {
  readonly engine: Engine;
  readonly configuration: string;
  readonly over: AbortController;
}

/** The engine of a session: one at a time, and none that is heard after it was stopped. */
export class SessionEngine {
  readonly #options: SessionEngineOptions;
  #running: RunningEngine | undefined;
  #stopping: Promise<unknown> = Promise.resolve();

  constructor(options: SessionEngineOptions) {
    this.#options = options;
  }

  /** The engine that runs, in whatever state. */
  get running(): EngineAtWork | undefined {
    if (this.#running === undefined) return undefined;
    const { engine, over } = this.#running;
    return { handlers: engine.handlers, stopped: over.signal };
  }

  /** What of the session's configuration the running engine was made with. */
  get configuration(): string | undefined {
    return this.#running?.configuration;
  }

  /** Makes an engine and starts it. @throws what the factory throws */
  start(factory: EngineFactory, row: SessionRow, open: OpenSession, hear: (state: EngineState) => void): void {
    try {
      const engine: Engine = this.#create(factory, row, open, (state) => {
        if (this.#running?.engine === engine) hear(state);
      });
      this.#running = { engine, configuration: engineConfiguration(row.config), over: new AbortController() };
      engine.start();
    } catch (error) {
      this.#running = undefined;
      throw error;
    }
  }

  /** Resolves when no engine does anything any more. Never rejects. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    const stopped = running?.engine
      .stop()
      .catch((error: unknown) => {
        this.#options.place.logger.error({ err: error }, 'the engine did not stop cleanly');
      })
      .finally(() => running.over.abort());
    this.#stopping = Promise.all([this.#stopping, stopped]);
    await this.#stopping;
  }

  /** Has the running engine take the device off the account, which is its end. */
  async logout(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.engine.logout().finally(() => running.over.abort());
  }

  /**
   * Connects only to unlink: nothing is told of it, and no job finds the engine.
   *
   * @param over when the session is not to be run here any more
   * @returns whether the device is off
   */
  async connectAndUnlink(
    factory: EngineFactory,
    row: SessionRow,
    open: OpenSession,
    over: AbortSignal,
  ): Promise<boolean> {
    const decided = Promise.withResolvers<'none' | 'connected' | 'unlinked'>();
    const giveUp = () => decided.resolve('none');
    const timer = setTimeout(giveUp, UNLINK_PATIENCE_MS);
    over.addEventListener('abort', giveUp, { once: true });
    try {
      const engine = this.#create(factory, row, open, (state) => {
        if (state.status === 'WORKING') return decided.resolve('connected');
        if (state.status === 'FAILED' && state.reason === 'logged-out') return decided.resolve('unlinked');
        if (state.status !== 'STARTING') giveUp();
      });
      engine.start();
      const outcome = await decided.promise;
      await (outcome === 'connected' && !over.aborted ? engine.logout() : engine.stop());
      return outcome !== 'none';
    } catch (error) {
      this.#options.place.logger.error({ err: error }, 'the engine could not be used to unlink');
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  #create(factory: EngineFactory, row: SessionRow, open: OpenSession, report: (state: EngineState) => void): Engine {
    const { place, deps, sent, emit } = this.#options;
    const { lease, logger, name } = place;
    const isAtHand = () => this.#options.open() === open;
    return factory.create({
      session: name,
      config: row.config,
      state: open.state,
      media: deps.media,
      remoteFiles: deps.remoteFiles,
      clock: deps.clock,
      logger,
      assertOwned: () => {
        lease.assertOwned();
        if (!isAtHand()) throw new NotOwnerError('The session is no longer run here');
      },
      confirmOwned: async () => (await this.#isStillOurs()) && isAtHand(),
      onceMayConnect: deps.onceMayConnect,
      report,
      emit: (event, published) => emit(open, event, published),
      wantsEngineEvents: () => wantsEngineEvents((this.#options.row() ?? row).config),
      contentOf: (messageId, author) => sent.get(messageId, author),
      sentContent: (messageId, chatIds) => sent.getSent(messageId, chatIds),
    });
  }

  async #isStillOurs(): Promise<boolean> {
    const { lease, logger } = this.#options.place;
    try {
      await whileOwned(
        lease,
        () => lease.confirm(),
        (error, attempt) => logger.warn({ err: error, attempt }, 'could not read who owns the shard'),
      );
      return true;
    } catch (error) {
      if (isLost(error)) return false;
      throw error;
    }
  }
}
