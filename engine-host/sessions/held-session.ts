import type { SessionRow } from '#shared/contracts/rows.ts';
import type { Me } from '#shared/contracts/session.ts';
import { NotFoundError, type NotOwnerError } from '#shared/domain/errors.ts';
import { pacingRules } from '#shared/domain/pacing-rules.ts';
import type { SessionReport } from '#shared/ports/session-store.ts';
import { settledWithin } from '../host/sleep.ts';
import { SessionPacer } from '../jobs/session-pacer.ts';
import { CorruptStateError } from './corrupt-state-error.ts';
import { type OpenSession, type OpenSessionDeps, openEmptySession, openSession } from './open-session.ts';
import { PauseNotices } from './pause-notices.ts';
import type { SessionReporter } from './session-reporter.ts';
import type { SessionRunnerDeps, SessionRunnerPlace } from './session-runner-deps.ts';
import type { Announcement } from './status-board.ts';

export interface HeldSessionOptions {
  readonly place: Pick<SessionRunnerPlace, 'lease' | 'logger'>;
  readonly deps: SessionRunnerDeps;
  readonly reporter: SessionReporter;
  /** As last read. */
  readonly row: () => SessionRow | undefined;
  readonly me: () => Me | null;
  readonly announce: (announcement: Announcement) => void;
  /** Reports what nobody waits for. */
  readonly note: (report: SessionReport) => void;
  readonly onFenced: (error: NotOwnerError) => void;
}

/** What a host has in hand of a session: its state, and what lasts as long, which is when sends may leave. */
export class HeldSession {
  readonly #options: HeldSessionOptions;
  readonly pauses: PauseNotices;
  #open: OpenSession | undefined;
  #pacing: { readonly open: OpenSession; readonly pacer: SessionPacer } | undefined;

  constructor(options: HeldSessionOptions) {
    this.#options = options;
    this.pauses = new PauseNotices({
      clock: options.deps.clock,
      pacer: () => this.pacer,
      announce: options.announce,
    });
  }

  get open(): OpenSession | undefined {
    return this.#open;
  }

  /** Says when sends may leave; undefined while the session's state is not at hand. */
  get pacer(): SessionPacer | undefined {
    const open = this.#open;
    if (open === undefined) return undefined;
    if (this.#pacing?.open !== open) this.#pacing = { open, pacer: this.#createPacer(open) };
    return this.#pacing.pacer;
  }

  /** The session's configuration may have changed. */
  rulesChanged(): void {
    this.#pacing?.pacer.rulesChanged();
  }

  /** The session's state, read if need be; undefined when it cannot be read. @throws NotOwnerError */
  async take(row: SessionRow): Promise<OpenSession | undefined> {
    if (this.#open !== undefined) return this.#open;
    try {
      this.#open = await openSession(row, this.#openDeps(row));
      return this.#open;
    } catch (error) {
      if (!(error instanceof CorruptStateError || error instanceof NotFoundError)) throw error;
      this.#options.place.logger.error({ err: error }, 'the stored state cannot be read');
      return undefined;
    }
  }

  /** The same, with an empty state in place of one that cannot be read. @throws NotOwnerError */
  async takeOrEmpty(row: SessionRow): Promise<OpenSession> {
    const open = await this.take(row);
    this.#open = open ?? (await openEmptySession(row, this.#openDeps(row)));
    return this.#open;
  }

  /** Publishes and saves what is left. @returns false, with the session still in hand, when that takes too long */
  async close(patience: number): Promise<boolean> {
    const open = this.#open;
    if (open === undefined) return true;
    const published = await settledWithin(open.outlet.drained(), patience);
    if (!published) {
      this.#options.place.logger.warn('events still wait for the bus');
      return false;
    }
    this.pauses.close();
    await open.state.close();
    open.outlet.close();
    this.#open = undefined;
    return true;
  }

  /** From now on nothing of it is written, published or told. */
  abandon(error: NotOwnerError): void {
    this.pauses.close();
    this.#open?.state.fence(error);
    this.#open?.outlet.close();
  }

  #openDeps(row: SessionRow): OpenSessionDeps {
    const { deps, place, reporter, me, onFenced } = this.#options;
    const { lease, logger } = place;
    return { ...deps, lease, logger, reporter, me, row: () => this.#options.row() ?? row, onFenced };
  }

  #createPacer(open: OpenSession): SessionPacer {
    const { deps, row, me, note } = this.#options;
    return new SessionPacer({
      state: open.state,
      clock: deps.clock,
      random: Math.random,
      rules: () => pacingRules(row()?.config.pacing, deps.pacingProfile),
      me,
      createdAt: row()?.createdAt ?? deps.clock.now(),
      nextSendAt: row()?.nextSendAt,
      report: (nextSendAt) => note({ nextSendAt }),
      braked: (pause, found) => this.pauses.braked(pause, found),
    });
  }
}
