import type { SessionRow } from '#shared/contracts/rows.ts';
import type { Me } from '#shared/contracts/session.ts';
import { NotFoundError, type NotOwnerError } from '#shared/domain/errors.ts';
import { pacingRules } from '#shared/domain/pacing-rules.ts';
import type { SessionReport } from '#shared/ports/session-store.ts';
import { settledWithin } from '../host/sleep.ts';
import { SessionPacer } from '../jobs/session-pacer.ts';
import { CorruptStateError } from './corrupt-state-error.ts';
import type { EventOutlet } from './event-outlet.ts';
import { type OpenSession, type OpenSessionDeps, openEmptySession, openSession } from './open-session.ts';
import { PauseNotices } from './pause-notices.ts';
import { openUnreadSession, type UnreadSession } from './session-outlet.ts';
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

/**
 * What a host has in hand of a session: its state, and what lasts as long, which is when sends may leave. Of one whose
 * state cannot be read it has a way out for events.
 */
export class HeldSession {
  readonly #options: HeldSessionOptions;
  readonly pauses: PauseNotices;
  #open: OpenSession | undefined;
  #unread: UnreadSession | undefined;
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

  /** The way out for events; undefined before the state was taken, or found unreadable. */
  get outlet(): EventOutlet | undefined {
    return (this.#open ?? this.#unread)?.outlet;
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

  /** The session's state, read if need be; undefined when it cannot be read, which can be told. @throws NotOwnerError */
  async take(row: SessionRow): Promise<OpenSession | undefined> {
    if (this.#open !== undefined) return this.#open;
    try {
      return this.#opened(await openSession(row, this.#openDeps(row)));
    } catch (error) {
      if (!(error instanceof CorruptStateError || error instanceof NotFoundError)) throw error;
      this.#options.place.logger.error({ err: error }, 'the stored state cannot be read');
      this.#unread ??= await openUnreadSession(row, this.#openDeps(row));
      return undefined;
    }
  }

  /** The same, with an empty state in place of one that cannot be read. @throws NotOwnerError */
  async takeOrEmpty(row: SessionRow): Promise<OpenSession> {
    return (await this.take(row)) ?? this.#opened(await openEmptySession(row, this.#openDeps(row)));
  }

  /** Publishes and saves what is left. @returns false, with the session still in hand, when that takes too long */
  async close(patience: number): Promise<boolean> {
    const outlet = this.outlet;
    if (outlet === undefined) return true;
    const published = await settledWithin(outlet.drained(), patience);
    if (!published) {
      this.#options.place.logger.warn('events still wait for the bus');
      return false;
    }
    this.pauses.close();
    await this.#open?.state.close();
    outlet.close();
    this.#open = undefined;
    this.#unread = undefined;
    return true;
  }

  /** From now on nothing of it is written, published or told. */
  abandon(error: NotOwnerError): void {
    this.pauses.close();
    this.#open?.state.fence(error);
    this.outlet?.close();
  }

  #opened(open: OpenSession): OpenSession {
    this.#unread?.outlet.close();
    this.#unread = undefined;
    this.#open = open;
    return open;
  }

  #openDeps(row: SessionRow): OpenSessionDeps {
    const { deps, place, reporter, me, onFenced } = this.#options;
    const { lease, logger } = place;
    const unread = this.#unread;
    return { ...deps, lease, logger, reporter, me, row: () => this.#options.row() ?? row, onFenced, unread };
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
