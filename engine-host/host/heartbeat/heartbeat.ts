import type { HostRow } from '#shared/contracts/rows.ts';

/** One registration of a host, as its row has it. Times are those of the host's monotonic clock, in milliseconds. */
export interface Registration {
  readonly hostId: string;
  readonly incarnation: string;
  /** Of the row as it was registered; heartbeats count on from there. */
  readonly rvn: number;
  /** Before the registration was sent. */
  readonly sentAt: number;
  readonly news: HostNews;
}

/** What heartbeats tell of the host besides that it lives. */
export interface HostNews {
  readonly load: number;
  readonly state: HostRow['state'];
}

/** Called in the thread that began the heartbeat. What they tell may already be known from the pulse itself. */
export interface PulseEvents {
  /** A heartbeat was accepted. */
  good(): void;
  /** Called once: the incarnation was declared dead or replaced. No heartbeat follows. */
  lost(): void;
  /** A heartbeat got no answer, or one that says nothing. */
  failed(error: unknown): void;
}

/** The heartbeat of one incarnation. What it says is true at the moment it is read, whichever thread beats. */
export interface Pulse {
  /** When the newest good heartbeat was sent (at first the registration), on the host's monotonic clock. */
  readonly sentAt: number;
  /** Somebody has declared the incarnation dead or replaced it: for certain, and for good. */
  readonly isLost: boolean;
  /** What the next heartbeats tell. A change of `state` is told at once. */
  say(news: HostNews): void;
  /** Resolves when no heartbeat is on its way any more, at the latest after a request's timeout. Never rejects. */
  stop(): Promise<void>;
}

/**
 * Moves the host's row at a steady pace so that nobody takes the host for dead. A heartbeat that fails is not repeated;
 * the next one comes soon enough.
 */
export interface Heartbeat {
  /** Begins to beat for a new incarnation; the one before is over. */
  begin(registration: Registration, events: PulseEvents): Pulse;
}
