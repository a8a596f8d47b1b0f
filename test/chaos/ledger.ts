/** A message and the stream it belongs to: one sender in one chat. `seq` counts from 1 within its stream. */
export interface KnownMessage {
  readonly id: string;
  readonly stream: string;
  readonly seq: number;
  readonly text: string;
}

/** A send that the API answered with success. */
export interface AcceptedSend extends KnownMessage {
  readonly session: string;
  readonly jobId: string;
  /** Phones of contacts that have to get it. */
  readonly recipients: readonly string[];
}

/** A message that a contact has sent. */
export interface ContactMessage extends KnownMessage {
  /** Sessions that have to get it. */
  readonly sessions: readonly string[];
}

/** `n` is the place in the phone's inbox. */
export interface Decrypted {
  readonly phone: string;
  readonly n: number;
  readonly id: string;
  readonly text: string | undefined;
}

export interface Repeat {
  readonly phone: string;
  readonly id: string;
  /** Some phone had asked for the message again, and clients send such a message to everybody. */
  readonly asked: boolean;
}

/** The moment from which on WhatsApp leaves a message to the client. */
export interface Taken {
  readonly session: string;
  readonly id: string;
  readonly how: string;
  /** Places on the wire of the first and the last delivery. */
  readonly first: number;
  readonly last: number;
}

/** One arrival of an event at the rule's target. */
export interface Arrival {
  readonly session: string;
  readonly event: string;
  readonly eventId: string;
  readonly seq: number;
  /** Of messages: the bare id and the text. */
  readonly messageId?: string;
  readonly text?: string | null;
  /** Of status changes. */
  readonly status?: string;
}

/** What happened to a session's connections; times in milliseconds since 1970. */
export type ConnectionChange = { readonly session: string; readonly at: number } & (
  | { readonly kind: 'active' | 'closed' }
  | { readonly kind: 'replaced'; readonly silentMs: number }
  | { readonly kind: 'late'; readonly tag: string }
);

/** A signal that a host got. `endedAt`: when it went on, or when the process was gone. */
export interface HostFault {
  readonly kind: 'kill' | 'stop' | 'drain';
  readonly host: string;
  readonly at: number;
  /** The sessions of the shards that were the host's, whether it ran them already or not. */
  readonly sessions: readonly string[];
  endedAt?: number;
}

/** Everything the judge has to know about a run. */
export interface Facts {
  readonly accepted: readonly AcceptedSend[];
  readonly sentIn: readonly ContactMessage[];
  readonly decrypted: readonly Decrypted[];
  readonly repeats: readonly Repeat[];
  readonly taken: readonly Taken[];
  /** Messages that a fault swallowed, as `session id`. */
  readonly dropped: ReadonlySet<string>;
  readonly arrivals: readonly Arrival[];
  readonly connections: readonly ConnectionChange[];
  readonly hostFaults: readonly HostFault[];
  /** How many hosts there are. */
  readonly hosts: number;
  /** Events that the bus told of and a reader of the event log, which goes on from where it was, did not find; as `session id`. */
  readonly unlogged: readonly string[];
  /** Requests of contacts to send something again, as `phone id`. */
  readonly asked: readonly string[];
  /** Ciphertexts made with a key that had made another one, as `session id`. */
  readonly reused: readonly string[];
  /** Pairings that were begun after every session was paired. */
  readonly pairings: number;
  /** Hosts that ended by themselves. */
  readonly crashes: number;
}

export const inboundKey = (session: string, id: string): string => `${session} ${id}`;

/** Takes down what is seen in a run, by everybody who sees something. */
export class Ledger implements Facts {
  readonly accepted: AcceptedSend[] = [];
  readonly sentIn: ContactMessage[] = [];
  readonly decrypted: Decrypted[] = [];
  readonly repeats: Repeat[] = [];
  readonly taken: Taken[] = [];
  readonly dropped = new Set<string>();
  readonly arrivals: Arrival[] = [];
  readonly connections: ConnectionChange[] = [];
  readonly hostFaults: HostFault[] = [];
  readonly hosts: number;
  readonly unlogged: string[] = [];
  readonly asked: string[] = [];
  readonly reused: string[] = [];
  pairings = 0;
  crashes = 0;
  /** API calls that were not answered with success; they promise nothing. */
  refused = 0;
  readonly #streams = new Map<string, number>();

  constructor(hosts: number) {
    this.hosts = hosts;
  }

  /** The next number of a stream. */
  nextIn(stream: string): number {
    const seq = (this.#streams.get(stream) ?? 0) + 1;
    this.#streams.set(stream, seq);
    return seq;
  }
}

/** Deliveries that are still to come: a run is over when both lists are empty. */
export interface Outstanding {
  /** Accepted sends that some recipient lacks. */
  readonly out: readonly AcceptedSend[];
  /** Messages that WhatsApp was told are received, without an event, as `session id`. */
  readonly in: readonly string[];
  /** Messages of contacts that no client has taken, as `session id`. */
  readonly untaken: readonly string[];
}

export function outstanding(facts: Facts): Outstanding {
  const got = new Set(facts.decrypted.map(({ phone, id }) => `${phone} ${id}`));
  const events = new Set(
    facts.arrivals.flatMap(({ event, session, messageId }) =>
      event === 'message' && messageId !== undefined ? [inboundKey(session, messageId)] : [],
    ),
  );
  const known = new Set([...facts.sentIn, ...facts.accepted].map(({ id }) => id));
  const taken = new Set(
    facts.taken.filter(({ id }) => known.has(id)).map(({ session, id }) => inboundKey(session, id)),
  );
  const due = facts.sentIn.flatMap(({ id, sessions }) => sessions.map((session) => inboundKey(session, id)));
  return {
    out: facts.accepted.filter(({ id, recipients }) => recipients.some((phone) => !got.has(`${phone} ${id}`))),
    in: [...taken].filter((key) => !events.has(key) && !facts.dropped.has(key)),
    untaken: due.filter((key) => !taken.has(key) && !facts.dropped.has(key)),
  };
}
