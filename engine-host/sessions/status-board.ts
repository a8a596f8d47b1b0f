import type { SessionRow } from '#shared/contracts/rows.ts';
import type { Me, SessionStatus, StatusChange } from '#shared/contracts/session.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { SessionReport } from '#shared/ports/session-store.ts';
import type { EngineEvent } from '../engines/engine.ts';

export interface StatusBoardOptions {
  readonly session: string;
  readonly hostId: string;
  readonly clock: Clock;
  readonly report: (report: SessionReport) => Promise<void>;
  /** Told of a report that nobody waits for and that has failed. */
  readonly onFailure: (error: unknown) => void;
  /** @param published called once when the bus has accepted the event */
  readonly emit: (event: EngineEvent, published?: () => void) => void;
}

export interface NewStatus {
  readonly status: SessionStatus;
  /** Machine readable. */
  readonly reason?: string;
  /** For people; goes with FAILED, and with STARTING where somebody should look. */
  readonly message?: string;
  readonly qr?: { readonly value: string; readonly expiresAt: number };
  readonly me?: Me | null;
}

/** Something beside the status, which stays as it is. */
export interface Announcement {
  readonly data: Record<string, unknown>;
  /** When it happened, and what tells it from others: for what several hosts may tell. @default now */
  readonly timestamp?: number;
  readonly key?: string;
  /** Of the job that has made it happen. */
  readonly traceparent?: string | undefined;
  /** Called once when the bus has accepted the event. */
  readonly published?: () => void;
}

const STATUSES_KEPT = 3;
/** What no later owner says again by itself. */
const LASTING: ReadonlySet<SessionStatus> = new Set(['FAILED', 'STOPPED']);

/** What a session is, as its row says it. An event about a status leaves only after the row has it. */
export class StatusBoard {
  readonly #options: StatusBoardOptions;
  #status: SessionStatus;
  /** The last that an event has told. */
  #told: SessionStatus | undefined;
  #statuses: readonly StatusChange[];
  #reason: string | undefined;
  #me: Me | null;
  /** Time of the last status, while it is lasting and no event has told it. */
  #untold: number | undefined;
  /** The last writing of this board; undefined before the first. */
  #written: Promise<void> | undefined;

  constructor(row: SessionRow, options: StatusBoardOptions) {
    this.#options = options;
    // The API may have written a status of its own, which no event has told yet.
    this.#status = row.statuses.at(-1)?.status ?? 'STOPPED';
    this.#told = row.epoch === 0 ? undefined : this.#status;
    this.#statuses = row.statuses;
    this.#reason = row.statusReason;
    this.#me = row.me;
    this.#untold = row.untold ?? undefined;
  }

  get status(): SessionStatus {
    return this.#status;
  }

  get me(): Me | null {
    return this.#me;
  }

  /**
   * Resolves when the row says it.
   * @param also goes into the same write
   */
  async set(next: NewStatus, also: SessionReport = {}): Promise<void> {
    const { clock, hostId, report } = this.#options;
    if (this.#written !== undefined && this.#isSaid(next, also)) return this.#written;
    const timestamp = clock.now();
    const isNews =
      next.status !== this.#told ||
      next.qr !== undefined ||
      (next.message !== undefined && next.reason !== this.#reason);
    this.#told = next.status;
    if (next.status !== this.#statuses.at(-1)?.status) {
      this.#statuses = [...this.#statuses, { status: next.status, timestamp }].slice(-STATUSES_KEPT);
    }
    this.#status = next.status;
    this.#reason = next.reason;
    if (next.me !== undefined) this.#me = next.me;
    const statuses = [...this.#statuses];
    if (isNews) this.#untold = LASTING.has(next.status) ? timestamp : undefined;
    const data = next.message === undefined ? null : { reason: next.reason, message: next.message };
    this.#written = report({
      status: next.status,
      statusReason: next.reason ?? null,
      statusData: data,
      statuses,
      ...(isNews && { untold: this.#untold ?? null }),
      qr: next.qr ?? null,
      hostId: next.status === 'STOPPED' ? null : hostId,
      ...(next.me !== undefined && { me: next.me }),
      ...also,
    });
    try {
      await this.#written;
    } catch (error) {
      // What was not written is written when it is said again.
      this.#written = undefined;
      throw error;
    }
    if (isNews) this.#tell(next.status, statuses, data, timestamp);
  }

  /**
   * Tells what an owner before has written into the row, if it may have died before it told it, under the same event
   * id. @param data of the row
   */
  tellInherited(data: Record<string, unknown> | null): void {
    if (this.#untold !== undefined) this.#tell(this.#status, [...this.#statuses], data, this.#untold);
  }

  #tell(
    status: SessionStatus,
    statuses: StatusChange[],
    data: Record<string, unknown> | null,
    timestamp: number,
  ): void {
    const { session, emit, report, onFailure } = this.#options;
    const published = () => {
      if (this.#untold !== timestamp) return;
      this.#untold = undefined;
      report({ untold: null }).catch(onFailure);
    };
    const body = { event: 'session.status', payload: { name: session, status, statuses, data } } as const;
    emit({ body, key: `${status}:${timestamp}`, timestamp }, published);
  }

  async announce({ data, published, ...given }: Announcement): Promise<void> {
    const { clock, report, emit, session } = this.#options;
    const timestamp = given.timestamp ?? clock.now();
    const [status, statuses] = [this.#status, [...this.#statuses]];
    // What belongs to a status that is still to be told stays with it.
    if (this.#untold === undefined) await report({ statusData: data });
    emit(
      {
        body: { event: 'session.status', payload: { name: session, status, statuses, data } },
        key: given.key ?? `${status}:${timestamp}:data`,
        timestamp,
        traceparent: given.traceparent,
      },
      published,
    );
  }

  /** True when the newest writing has nothing less in it. */
  #isSaid({ status, reason, message, qr, me }: NewStatus, also: SessionReport): boolean {
    const adds = message !== undefined || qr !== undefined || me !== undefined || Object.keys(also).length > 0;
    return !adds && status === this.#status && reason === this.#reason;
  }

  forgetMe(): void {
    this.#me = null;
  }

  /** Writes the status anew where somebody else has written another into the row. */
  async repeat(): Promise<void> {
    await this.#options.report({ status: this.#status, statusReason: this.#reason ?? null });
  }
}
