import { type Arrival, type Facts, inboundKey, type KnownMessage, outstanding } from './ledger.ts';
import { recoveries } from './recovery.ts';

/** A connection that was heard of more recently than this when another login pushed it out belonged to a live owner. */
const LIVE_MS = 5_000;
const SHOWN = 20;

export interface Verdict {
  readonly accepted: number;
  readonly delivered: number;
  readonly lostOut: number;
  /** Messages a recipient decrypted more than once, under whatever id, without anybody having asked for them. */
  readonly dupOut: number;
  /** Those of `dupOut` that came under the same id, which a phone can hide from its user. */
  readonly dupOutSameId: number;
  readonly sentIn: number;
  readonly ackedIn: number;
  readonly events: number;
  readonly lostIn: number;
  /** Messages that became several events with different ids. */
  readonly dupIn: number;
  /** Events that arrived again under the same id. */
  readonly dupInRaw: number;
  /** Messages of contacts that no client ever took from WhatsApp. */
  readonly untakenIn: number;
  /** Messages that overtook an earlier one of the same sender in the same chat, both directions. */
  readonly reordered: number;
  /** Messages whose text changed on the way. */
  readonly corrupted: number;
  /** Different events of a session under one `seq`. */
  readonly seqClashes: number;
  /** Events of which a reader of the event log was told, and that it did not find behind its cursor. */
  readonly unlogged: number;
  readonly undecryptable: number;
  /** Ciphertexts that a session made with a key that had made another one. */
  readonly counterReuse: number;
  readonly qrAgain: number;
  readonly twoOwners: number;
  readonly crashes: number;
  /** From a kill until the last of its sessions was back, over the kills that had sessions. */
  readonly failoverMs: Percentiles;
  /** The same of sessions that were hit again while they were away, counted from the first kill. */
  readonly failoverInterruptedMs: Percentiles;
  readonly drainMs: Percentiles;
  readonly drainInterruptedMs: Percentiles;
  /** Without a connection in a drain, per session. */
  readonly drainSilenceMs: Percentiles;
  /** Sessions that a kill or drain took down and that did not come back. */
  readonly unrecovered: number;
}

export interface Percentiles {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly n: number;
}

/** What must be 0 for a run to be good. */
const FAULTS = [
  'lostOut',
  'dupOut',
  'lostIn',
  'dupIn',
  'untakenIn',
  'reordered',
  'corrupted',
  'seqClashes',
  'unlogged',
  'undecryptable',
  'counterReuse',
  'qrAgain',
  'twoOwners',
  'crashes',
  'unrecovered',
] as const satisfies readonly (keyof Verdict)[];

export type FaultName = (typeof FAULTS)[number];

/** @throws Error when there is no such figure */
export function faultNamed(name: string): FaultName {
  const found = FAULTS.find((each) => each === name);
  if (found === undefined) throw new Error(`There is no figure ${name} that should be 0, only ${FAULTS.join(', ')}.`);
  return found;
}

/** Names of the figures that should be 0 and are not. */
export function faultsOf(verdict: Verdict): readonly FaultName[] {
  return FAULTS.filter((name) => verdict[name] !== 0);
}

/** Ids behind the figures, the first few of each. */
export interface Evidence {
  readonly lostOut: readonly string[];
  readonly dupOut: readonly string[];
  readonly lostIn: readonly string[];
  readonly dupIn: readonly string[];
  readonly untakenIn: readonly string[];
  readonly reordered: readonly string[];
  readonly unlogged: readonly string[];
  readonly undecryptable: readonly string[];
  readonly counterReuse: readonly string[];
}

export function judge(facts: Facts): { readonly verdict: Verdict; readonly evidence: Evidence } {
  const open = outstanding(facts);
  const known = new Map<string, KnownMessage>([...facts.sentIn, ...facts.accepted].map((each) => [each.id, each]));
  const messages = facts.arrivals.filter(({ event }) => event === 'message');
  const distinct = firstOfEach(messages, ({ session, eventId }) => `${session} ${eventId}`);
  const dupOut = duplicatesOut(facts);
  const dupIn = surplus(distinct, ({ session, messageId }) => inboundKey(session, messageId ?? ''));
  const reordered = [...reorderedOut(facts, known), ...reorderedIn(facts, distinct, known)];
  const undecryptable = undecrypted(facts, known);
  const { failover, drain, silence, unrecovered } = recoveries(facts.hostFaults, facts.connections, facts.hosts);
  const takenKeys = new Set(
    facts.taken.filter(({ id }) => known.has(id)).map(({ session, id }) => inboundKey(session, id)),
  );
  return {
    verdict: {
      accepted: facts.accepted.length,
      delivered: facts.accepted.length - open.out.length,
      lostOut: open.out.length,
      dupOut: dupOut.length,
      dupOutSameId: facts.repeats.filter(({ asked }) => !asked).length,
      sentIn: facts.sentIn.length,
      ackedIn: takenKeys.size,
      events: distinct.length,
      lostIn: open.in.length,
      dupIn: dupIn.length,
      dupInRaw: messages.length - distinct.length,
      untakenIn: open.untaken.length,
      reordered: reordered.length,
      corrupted: corrupted(facts, known),
      seqClashes: seqClashes(facts.arrivals),
      unlogged: facts.unlogged.length,
      undecryptable: undecryptable.length,
      counterReuse: facts.reused.length,
      qrAgain: Math.max(facts.pairings, qrAgain(facts.arrivals)),
      twoOwners: twoOwners(facts),
      crashes: facts.crashes,
      failoverMs: percentiles(failover.plain),
      failoverInterruptedMs: percentiles(failover.interrupted),
      drainMs: percentiles(drain.plain),
      drainInterruptedMs: percentiles(drain.interrupted),
      drainSilenceMs: percentiles(silence),
      unrecovered,
    },
    evidence: {
      lostOut: open.out.slice(0, SHOWN).map(({ session, id, jobId }) => `${session} ${id} ${jobId}`),
      dupOut: dupOut.slice(0, SHOWN),
      lostIn: open.in.slice(0, SHOWN),
      dupIn: dupIn.slice(0, SHOWN),
      untakenIn: open.untaken.slice(0, SHOWN),
      reordered: reordered.slice(0, SHOWN),
      unlogged: facts.unlogged.slice(0, SHOWN),
      undecryptable: undecryptable.slice(0, SHOWN),
      counterReuse: facts.reused.slice(0, SHOWN),
    },
  };
}

/** Same id again, and the same text under another id: a second send of one request would look like that. */
function duplicatesOut({ accepted, decrypted, repeats }: Facts): readonly string[] {
  const texts = new Set(accepted.map(({ text }) => text));
  const again = repeats.filter(({ asked }) => !asked).map(({ phone, id }) => `${phone} ${id}`);
  const ours = decrypted.filter(({ text }) => text !== undefined && texts.has(text));
  return [...again, ...surplus(ours, ({ phone, text }) => `${phone} ${text}`)];
}

/** Messages that a client or a contact could not read, and so asked for again or refused. */
function undecrypted({ taken, asked }: Facts, known: ReadonlyMap<string, KnownMessage>): readonly string[] {
  // A client both asks for a message again and refuses it.
  const refused = firstOfEach(
    taken.filter(({ how }) => how === 'retry' || how === 'refusal'),
    ({ session, id }) => inboundKey(session, id),
  );
  const place = (id: string) => `${known.get(id)?.stream} ${known.get(id)?.seq}`;
  return [
    ...refused.map(({ session, id, how }) => `in ${session} ${id} ${how} ${place(id)}`),
    ...asked.map((each) => `out ${each}`),
  ];
}

function corrupted(facts: Facts, known: ReadonlyMap<string, KnownMessage>): number {
  const seen = [...facts.decrypted, ...facts.arrivals.map(({ messageId, text }) => ({ id: messageId ?? '', text }))];
  return seen.filter(({ id, text }) => known.has(id) && known.get(id)?.text !== text).length;
}

function reorderedOut({ decrypted, repeats }: Facts, known: ReadonlyMap<string, KnownMessage>): readonly string[] {
  const askedFor = new Set(repeats.filter(({ asked }) => asked).map(({ id }) => id));
  const inOrder = [...decrypted].sort((a, b) => a.n - b.n).filter(({ id }) => !askedFor.has(id));
  return inversions(inOrder, ({ phone, id }) => placed(known.get(id), phone)).map(({ id }) => `out ${id}`);
}

/**
 * Judged by what the sender meant, unless the server itself handed the two over the other way round, the first or the
 * last time: it may have, where stanzas are delayed or asked for again.
 */
function reorderedIn(
  { taken }: Facts,
  events: readonly Arrival[],
  known: ReadonlyMap<string, KnownMessage>,
): readonly string[] {
  const places = new Map(taken.map((each) => [inboundKey(each.session, each.id), each]));
  const inOrder = [...events].sort((a, b) => a.seq - b.seq);
  const found = inversions(
    inOrder,
    ({ session, messageId }) => placed(known.get(messageId ?? ''), session),
    (earlier, later) => {
      const a = places.get(inboundKey(earlier.session, earlier.messageId ?? ''));
      const b = places.get(inboundKey(later.session, later.messageId ?? ''));
      return a !== undefined && b !== undefined && a.first > b.first && a.last > b.last;
    },
  );
  return found.map(({ session, messageId }) => `in ${session} ${messageId}`);
}

interface Placed {
  readonly group: string;
  readonly seq: number;
}

const placed = (message: KnownMessage | undefined, at: string): Placed | undefined =>
  message === undefined ? undefined : { group: `${at} ${message.stream}`, seq: message.seq };

/** Items that come after one with a higher number in their group, where `counts` says so. */
function inversions<T>(
  items: readonly T[],
  place: (item: T) => Placed | undefined,
  counts: (earlier: T, later: T) => boolean = () => true,
): readonly T[] {
  const highest = new Map<string, { seq: number; item: T }>();
  const found: T[] = [];
  for (const item of items) {
    const at = place(item);
    if (at === undefined) continue;
    const before = highest.get(at.group);
    if (before === undefined || before.seq < at.seq) highest.set(at.group, { seq: at.seq, item });
    else if (before.seq > at.seq && counts(before.item, item)) found.push(item);
  }
  return found;
}

function seqClashes(arrivals: readonly Arrival[]): number {
  const distinct = firstOfEach(arrivals, ({ session, eventId, seq }) => `${session} ${eventId} ${seq}`);
  return surplus(distinct, ({ session, seq }) => `${session} ${seq}`).length;
}

/** QR codes shown by a session that had been WORKING before. */
function qrAgain(arrivals: readonly Arrival[]): number {
  const changes = firstOfEach(arrivals, ({ session, eventId }) => `${session} ${eventId}`)
    .filter(({ status }) => status !== undefined)
    .sort((a, b) => a.seq - b.seq);
  const worked = new Set<string>();
  let again = 0;
  for (const { session, status } of changes) {
    if (status === 'WORKING') worked.add(session);
    else if (status === 'SCAN_QR_CODE' && worked.has(session)) again += 1;
  }
  return again;
}

/** Logins that pushed out a connection whose owner was alive, or that still said something afterwards. */
function twoOwners({ connections }: Facts): number {
  const suspected = new Map<string, boolean>();
  let found = 0;
  for (const change of connections) {
    if (change.kind === 'replaced') {
      const live = change.silentMs < LIVE_MS;
      suspected.set(change.session, !live);
      if (live) found += 1;
    } else if (change.kind === 'late' && change.tag !== 'iq' && suspected.get(change.session) === true) {
      suspected.set(change.session, false);
      found += 1;
    }
  }
  return found;
}

function firstOfEach<T>(items: readonly T[], key: (item: T) => string): readonly T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const name = key(item);
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

/** The keys of items beyond the first with the same key. */
function surplus<T>(items: readonly T[], key: (item: T) => string): readonly string[] {
  const seen = new Set<string>();
  return items.map(key).filter((name) => {
    if (seen.has(name)) return true;
    seen.add(name);
    return false;
  });
}

export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? null;
  return { p50: at(0.5), p99: at(0.99), n: sorted.length };
}
