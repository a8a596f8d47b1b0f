import type { SessionRow } from '#shared/contracts/rows.ts';
import type { Me, SessionStatus } from '#shared/contracts/session.ts';
import { NotOwnerError } from '#shared/domain/errors.ts';
import type { SessionReport } from '#shared/ports/session-store.ts';
import type { Engine, EngineEvent, EngineState } from '../engines/engine.ts';
import { isLost, whileOwned } from '../host/lease.ts';
import { sleep } from '../host/sleep.ts';
import type { SessionPacer } from '../jobs/session-pacer.ts';
import { HeldSession } from './held-session.ts';
import type { OpenSession } from './open-session.ts';
import { isHalted, nextStep, type ReconcileStep, type RunnerFacts } from './reconcile-plan.ts';
import { SentContents } from './sent-contents.ts';
import { SessionEngine } from './session-engine.ts';
import { isToldDeleted, removeSession, type SessionRemovalOptions } from './session-removal.ts';
import { SessionReporter } from './session-reporter.ts';
import type { SessionRunnerDeps, SessionRunnerPlace } from './session-runner-deps.ts';
import { NOT_UNLINKED, type UnlinkingOptions, unlinkDevice } from './session-unlinking.ts';
import { StatusBoard } from './status-board.ts';

const SETTLE_PATIENCE_MS = 5_000;
const RETRY_AFTER_BUG_MS = 5_000;
const ACTIVITY_INTERVAL_MS = 60_000;

/**
 * Brings one session from what it is to what its row wants, one step at a time. Level-triggered: `wake` says only
 * that the row may have changed; it is read anew, so no order of wake-ups matters and none can be stale.
 */
export class SessionRunner {
  readonly #deps: SessionRunnerDeps;
  readonly #place: SessionRunnerPlace;
  readonly #reporter: SessionReporter;
  readonly #sent: SentContents;
  /** Events for which the session's state has to be taken. */
  #untold: { readonly event: EngineEvent; readonly incarnation: string; readonly published: () => void }[] = [];
  #row: SessionRow | undefined;
  #board: StatusBoard | undefined;
  readonly #held: HeldSession;
  readonly #engine: SessionEngine;
  #halted = false;
  /** Settles when an engine that has failed is stopped, and the failure is on its way into the row. */
  #failing: Promise<unknown> = Promise.resolve();
  readonly #over = new AbortController();
  #restartDone: string | undefined;
  #logoutDone: string | undefined;
  #dirty = false;
  #pass: Promise<void> | undefined;
  #ended = false;
  #activityAt = Number.NEGATIVE_INFINITY;

  constructor(place: SessionRunnerPlace, deps: SessionRunnerDeps) {
    this.#place = place;
    this.#deps = deps;
    this.#sent = new SentContents(place.name, deps.messages);
    this.#reporter = new SessionReporter({
      lease: place.lease,
      write: async (report) => {
        if (this.#row === undefined) return;
        place.lease.assertOwned();
        await deps.sessions.report(place.name, this.#row.incarnation, place.lease.epoch, report);
      },
      onFailure: (error, attempt) => place.logger.warn({ err: error, attempt }, 'could not report'),
    });
    const row = () => this.#row;
    this.#held = new HeldSession({
      place,
      deps,
      reporter: this.#reporter,
      row,
      me: () => this.me,
      announce: (announcement) => {
        void this.#board?.announce(announcement).catch((error: unknown) => {
          if (isLost(error)) this.#fence(error);
          else place.logger.error({ err: error }, 'could not tell of a pause');
        });
      },
      note: (report) => this.#note(report),
      onFenced: (error) => this.#fence(error),
    });
    this.#engine = new SessionEngine({
      place,
      deps,
      row,
      open: () => this.#held.open,
      sent: this.#sent,
      emit: (open, event, published) => this.#emit(open, event, published),
    });
  }

  /** As last read; undefined before the first reading. */
  get row(): SessionRow | undefined {
    return this.#row;
  }

  get status(): SessionStatus | undefined {
    return this.#board?.status;
  }

  /** The account; null before it is paired. */
  get me(): Me | null {
    return this.#board?.me ?? null;
  }

  /** The engine that runs; in whatever state `status` says. */
  get engine(): Engine | undefined {
    return this.#engine.running;
  }

  get sent(): SentContents {
    return this.#sent;
  }

  /** Says when sends may leave; undefined while the session's state is not at hand. */
  get pacer(): SessionPacer | undefined {
    return this.#held.pacer;
  }

  /** WhatsApp has refused a message because of the account. @param code as the job says it @param traceparent the job's */
  restricted(code: string, traceparent: string | undefined): void {
    const pause = this.pacer?.refused();
    if (pause !== undefined) this.#held.pauses.refused(pause, code, traceparent);
  }

  /**
   * Publishes an event that comes from elsewhere than the engine, also when nothing runs.
   * @param published called once when the log and the bus have it, or nobody wants it
   */
  tell(event: EngineEvent, incarnation: string, published: () => void): void {
    this.#untold.push({ event, incarnation, published });
    if (this.#held.outlet !== undefined) this.#tellRest();
    else this.wake();
  }

  wake(): void {
    if (this.#ended) return;
    this.#dirty = true;
    this.#pass ??= this.#run().finally(() => {
      this.#pass = undefined;
      if (this.#dirty) this.wake();
    });
  }

  /** Resolves when nothing is being changed. */
  async settled(): Promise<void> {
    while (this.#pass !== undefined) await this.#pass;
  }

  /** Stops for another host to go on: everything durable and published. Never rejects. */
  async handOver(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#over.abort();
    await this.settled();
    const wasRunning = this.#engine.running !== undefined;
    await this.#engine.stop();
    try {
      if (wasRunning) await this.#board?.set({ status: 'STARTING', reason: 'hand-over' }, { hostId: null });
      if (!(await this.#held.close(this.#deps.publishPatience))) await this.#held.open?.state.close();
      await this.#reporter.idle();
    } catch (error) {
      this.#place.logger.warn({ err: error }, 'hand-over was not clean');
    }
  }

  /** Stops without any side effect: the session is somebody else's by now. Never rejects. */
  async abort(): Promise<void> {
    this.#ended = true;
    this.#over.abort();
    this.#dirty = false;
    this.#held.abandon(new NotOwnerError('The session is no longer ours'));
    await this.#engine.stop();
  }

  async #run(): Promise<void> {
    try {
      while (this.#dirty && !this.#ended) {
        this.#dirty = false;
        if (!(await this.#read())) return this.#end();
        await this.#reconcile();
        if (this.#untold.length > 0 && this.#row !== undefined && !this.#ended) {
          await this.#held.take(this.#row);
          this.#tellRest();
        }
        if (!this.#dirty && !this.#ended && this.#engine.running === undefined && this.status === 'STOPPED') {
          const closed = await this.#held.close(SETTLE_PATIENCE_MS);
          if (closed && !this.#dirty) return this.#end();
        }
      }
    } catch (error) {
      if (isLost(error)) return this.#fence(error);
      this.#place.logger.error({ err: error }, 'reconciling failed, trying again');
      await sleep(RETRY_AFTER_BUG_MS, this.#place.lease.ended);
      this.#dirty = !this.#ended;
    }
  }

  #tellRest(): void {
    for (const { event, incarnation, published } of this.#untold.splice(0)) {
      if (incarnation === this.#row?.incarnation) this.#publish(event, published);
      else published();
    }
  }

  /** Whoever tells of something has taken the session's state before, or found that it cannot be read. */
  #publish(event: EngineEvent, published?: () => void): void {
    this.#held.outlet?.emit(event, published);
  }

  /** Reads the row. @returns false when there is nothing (any more) to run here */
  async #read(): Promise<boolean> {
    const { lease, name, logger } = this.#place;
    await this.#failing;
    await this.#reporter.idle();
    const wasHalted = this.#halted;
    const row = await whileOwned(
      lease,
      () => this.#deps.sessions.get(name),
      (error, attempt) => logger.warn({ err: error, attempt }, 'could not read the session'),
    );
    if (row === undefined || row.shard !== lease.shard) return false;
    if (this.#row === undefined) {
      this.#row = row;
      this.#halted = isHalted(row);
      this.#restartDone = row.restartDone;
      this.#logoutDone = row.logoutDone;
      this.#board = new StatusBoard(row, {
        session: name,
        hostId: this.#deps.hostId,
        clock: this.#deps.clock,
        report: (report) => this.#reporter.report(report),
        onFailure: (error) => this.#notNoted(error),
        emit: (event, published) => this.#publish(event, published),
      });
      if (row.untold !== undefined && row.untold !== null) {
        await this.#held.take(row);
        this.#board.tellInherited(row.statusData ?? null);
      }
      return true;
    }
    if (row.incarnation !== this.#row.incarnation) return false;
    this.#row = row;
    this.#held.rulesChanged();
    // We had reported FAILED: another word in the row is the API's, and means that somebody wants a start.
    if (wasHalted && row.status !== 'FAILED') this.#halted = false;
    return true;
  }

  async #reconcile(): Promise<void> {
    const row = this.#row;
    const board = this.#board;
    if (row === undefined || board === undefined) return;
    for (let steps = 0; ; steps += 1) {
      await this.#failing;
      const step = nextStep(row, this.#facts(board));
      // After a step the row says what the step has written, not what was read before it.
      if (step === 'settled') return steps === 0 && row.status !== board.status ? board.repeat() : undefined;
      await this.#perform(step, row, board);
      if (this.#dirty || this.#ended) return;
    }
  }

  #facts(board: StatusBoard): RunnerFacts {
    return {
      status: board.status,
      runningWith: this.#engine.configuration,
      halted: this.#halted,
      restartDone: this.#restartDone,
      logoutDone: this.#logoutDone,
    };
  }

  async #perform(step: Exclude<ReconcileStep, 'settled'>, row: SessionRow, board: StatusBoard): Promise<void> {
    switch (step) {
      case 'start':
        return this.#start(row, board);
      case 'restart':
        await this.#engine.stop();
        this.#restartDone = row.restartToken;
        return this.#start(row, board, row.restartToken === undefined ? {} : { restartDone: row.restartToken });
      case 'stop':
        await this.#engine.stop();
        this.#halted = false;
        await this.#held.take(row);
        return board.set({ status: 'STOPPED' });
      case 'logout':
        return this.#logout(row, board);
      case 'remove':
        return this.#remove(row, board);
    }
  }

  async #start(row: SessionRow, board: StatusBoard, also: SessionReport = {}): Promise<void> {
    this.#halted = false;
    const factory = this.#deps.engines.get(row.engine);
    const open = await this.#deps.startTurn(() => this.#held.take(row));
    if (this.#ended) return;
    if (open === undefined)
      return this.#fail(board, 'state-unreadable', 'The stored login of the session cannot be read', also);
    if (factory === undefined)
      return this.#fail(board, 'engine-not-available', `This host has no engine ${row.engine}`, also);
    await board.set({ status: 'STARTING' }, also);
    if (this.#ended) return;
    try {
      this.#engine.start(factory, row, open, (state) => this.#hear(state, board));
    } catch (error) {
      this.#place.logger.error({ err: error }, 'the engine did not start');
      await this.#fail(board, 'engine-crashed', 'The engine did not start');
    }
  }

  #hear(state: EngineState, board: StatusBoard): void {
    const told = this.#tell(state, board).catch((error: unknown) => {
      if (isLost(error)) this.#fence(error);
      else this.#place.logger.error({ err: error, status: state.status }, 'could not tell a status');
    });
    if (state.status !== 'WORKING') return;
    void told.then(() => {
      this.#held.pauses.watch();
      this.#place.onWorking();
    });
  }

  async #tell(state: EngineState, board: StatusBoard): Promise<void> {
    switch (state.status) {
      case 'STARTING':
        return board.set(state);
      case 'SCAN_QR_CODE':
        return board.set({ status: 'SCAN_QR_CODE', qr: state.qr });
      case 'WORKING':
        return board.set({ status: 'WORKING', me: state.me });
      case 'FAILED': {
        const begun = this.#engine.stop().then(() => ({ told: this.#failed(state, board) }));
        this.#failing = begun;
        return (await begun).told;
      }
    }
  }

  async #failed({ reason, message }: Extract<EngineState, { status: 'FAILED' }>, board: StatusBoard): Promise<void> {
    if (reason !== 'logged-out') return this.#fail(board, reason, message);
    const forgotten = this.#held.open?.state.forgetLogin();
    await this.#fail(board, reason, message, { me: null });
    board.forgetMe();
    return forgotten;
  }

  async #fail(board: StatusBoard, reason: string, message: string, also: SessionReport = {}): Promise<void> {
    this.#halted = true;
    this.#place.logger.warn({ reason }, 'session failed');
    await board.set({ status: 'FAILED', reason, message }, also);
  }

  async #logout(row: SessionRow, board: StatusBoard): Promise<void> {
    const isUnlinked = await unlinkDevice(row, this.#endingOf(board));
    if (this.#ended) return;
    const { state } = await this.#held.takeOrEmpty(row);
    if (!isUnlinked) await board.set(NOT_UNLINKED);
    await state.forgetLogin();
    board.forgetMe();
    this.#halted = false;
    this.#logoutDone = row.logoutToken;
    await this.#reporter.report({
      me: null,
      qr: null,
      ...(row.logoutToken !== undefined && { logoutDone: row.logoutToken }),
    });
  }

  async #remove(row: SessionRow, board: StatusBoard): Promise<void> {
    const isUnlinked = isToldDeleted(row) || (await unlinkDevice(row, this.#endingOf(board)));
    if (this.#ended) return;
    if (await removeSession(row, isUnlinked, this.#endingOf(board))) this.#end();
  }

  #endingOf(board: StatusBoard): UnlinkingOptions & SessionRemovalOptions {
    const [place, deps, reporter] = [this.#place, this.#deps, this.#reporter];
    return { place, deps, reporter, board, held: this.#held, engine: this.#engine, over: this.#over.signal };
  }

  #emit(open: OpenSession, event: EngineEvent, published?: () => void): void {
    if (this.#held.open === open) this.pacer?.heard(event);
    open.outlet.emit(event, published);
    this.#noteActivity(event);
  }

  #noteActivity(event: EngineEvent): void {
    const { event: name } = event.body;
    const now = this.#deps.clock.monotonic();
    if (!name.startsWith('message') || now - this.#activityAt < ACTIVITY_INTERVAL_MS) return;
    this.#activityAt = now;
    this.#note({ activityAt: this.#deps.clock.now() });
  }

  /** Reports what nobody waits for. */
  #note(report: SessionReport): void {
    this.#reporter.report(report).catch((error: unknown) => this.#notNoted(error));
  }

  #notNoted(error: unknown): void {
    if (isLost(error)) this.#fence(error);
    else this.#place.logger.error({ err: error }, 'could not report');
  }

  #fence(error: NotOwnerError): void {
    if (this.#ended) return;
    this.#place.logger.warn({ err: error }, 'session fenced');
    void this.abort();
    this.#place.onGone();
  }

  #end(): void {
    if (this.#ended) return;
    void this.abort();
    this.#place.onGone();
  }
}
