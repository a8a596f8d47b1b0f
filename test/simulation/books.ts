import type { Frame, Stanza } from './frames.ts';
import type { SimProcess, Timeline } from './timeline.ts';

/** A broken rule. */
export interface Breach {
  readonly rule: string;
  readonly what: string;
  /** Virtual milliseconds. */
  readonly at: number;
}

export interface AcceptedJob {
  readonly session: string;
  readonly jobId: string;
  readonly messageId: string;
  /** In the order of acceptance within the session. */
  readonly index: number;
  readonly text: string;
  /** Its message was dropped by the queue: its place in the order is lost with it. */
  displaced: boolean;
}

/** What a session's stores hold, as `DurableView` reads it. */
export interface DurableFacts {
  number(session: string, key: string): number;
  has(session: string, key: string): boolean;
  hasEverHeld(session: string, stanzaId: string): boolean;
}

const TRACE_LINES = 60;

/** Sees everything that matters happen and says at once which rule it breaks. */
export class Books {
  readonly jobs = new Map<string, AcceptedJob>();
  readonly breaches: Breach[] = [];
  readonly trace: string[] = [];
  readonly figures = { wire: 0, resent: 0, seals: 0, takeOvers: 0, published: 0, republished: 0, redelivered: 0 };
  /** Event ids that the bus has taken, with the number of times. */
  readonly published = new Map<string, number>();
  /** Keys of events (what happened) with the ids under which they were told. */
  readonly told = new Map<string, Set<string>>();
  readonly ackedStanzas = new Set<string>();
  readonly #timeline: Timeline;
  readonly #contents = new Map<string, string>();
  readonly #counters = new Set<string>();
  readonly #sealedBy = new Map<string, { readonly process: SimProcess; readonly epoch: number }>();
  readonly #leftUpTo = new Map<string, number>();
  readonly #seqs = new Map<
    string,
    { process: SimProcess; highest: number; before: number; known: Map<number, string> }
  >();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  note(line: string): void {
    this.trace.push(`${(this.#timeline.now / 1000).toFixed(3)} ${line}`);
    if (this.trace.length > TRACE_LINES) this.trace.shift();
  }

  breach(rule: string, what: string): void {
    this.breaches.push({ rule, what, at: this.#timeline.now });
    this.note(`BREACH ${rule}: ${what}`);
  }

  sealed(session: string, process: SimProcess, epoch: number): void {
    const before = this.#sealedBy.get(session);
    if (before !== undefined && before.epoch > epoch) this.breach('owner', `${session} sealed under an old epoch`);
    if (before !== undefined && before.process !== process) this.figures.takeOvers += 1;
    this.figures.seals += 1;
    this.#sealedBy.set(session, { process, epoch });
    this.note(`${process.name} seals ${session} under ${epoch}`);
  }

  /** A host acts for a session: nobody else may have taken it over. */
  acts(session: string, process: SimProcess, what: string): void {
    const sealed = this.#sealedBy.get(session);
    if (sealed !== undefined && sealed.process !== process) {
      this.breach('owner', `${process.name}: ${what} for ${session}, which ${sealed.process.name} has sealed`);
    }
  }

  onWire(session: string, process: SimProcess, frame: Frame, durable: DurableFacts): void {
    this.figures.wire += 1;
    if (frame.kind !== 'login') this.acts(session, process, `${frame.kind} on the wire`);
    if (frame.kind !== 'ping') this.note(`${process.name} ${session} > ${frame.kind} ${'id' in frame ? frame.id : ''}`);
    switch (frame.kind) {
      case 'pair-sign':
        if (!durable.has(session, 'creds')) this.breach('R3', `${session}: pairing answered before creds are durable`);
        return;
      case 'ack':
        if (!durable.hasEverHeld(session, frame.id)) this.breach('R2', `${session}: ${frame.id} acked, not durable`);
        return;
      case 'msg':
        this.#messageLeaves(session, frame, durable);
        return;
      case 'login':
      case 'ping':
    }
  }

  #messageLeaves(session: string, frame: Extract<Frame, { kind: 'msg' }>, durable: DurableFacts): void {
    const { id, peer, n, content } = frame;
    if (durable.number(session, `out/${peer}`) < n) this.breach('R1', `${session}: ratchet ${n} leaves, not durable`);
    if (!durable.has(session, `proof/${id}`)) this.breach('R1', `${session}: ${id} leaves unrecorded`);
    const counter = `${session}/${peer}/${n}`;
    if (this.#counters.has(counter)) this.breach('R1', `${counter}: ratchet position used again`);
    this.#counters.add(counter);
    const job = this.jobs.get(id);
    if (job === undefined) {
      this.breach('R4', `${session}: ${id} is no job’s message id`);
      return;
    }
    const before = this.#contents.get(id);
    if (before !== undefined) this.figures.resent += 1;
    if (before !== undefined && before !== content) this.breach('R4', `${session}: ${id} leaves with another content`);
    this.#contents.set(id, content);
    if (before !== undefined || job.displaced) return;
    const upTo = this.#leftUpTo.get(session) ?? -1;
    if (job.index < upTo) this.breach('R7', `${session}: send ${job.index} leaves after send ${upTo}`);
    this.#leftUpTo.set(session, Math.max(upTo, job.index));
  }

  /** A host gives an event to the bus. */
  offers(session: string, process: SimProcess, id: string, seq: number): void {
    this.acts(session, process, 'an event to the bus');
    const seen = this.#seqs.get(session);
    const isTurn = seen === undefined || seen.process !== process;
    const now = isTurn
      ? { process, highest: seen?.highest ?? 0, before: seen?.highest ?? 0, known: new Map<number, string>() }
      : seen;
    this.#seqs.set(session, now);
    const known = now.known.get(seq);
    if (known === id) return;
    if (known !== undefined) this.breach('R6', `${session}: seq ${seq} is of two events`);
    if (seq <= now.highest) this.breach('R6', `${session}: seq ${seq} follows ${now.highest}`);
    now.known.set(seq, id);
    now.highest = Math.max(now.highest, seq);
  }

  accepts(id: string, key: string): void {
    const times = this.published.get(id) ?? 0;
    this.published.set(id, times + 1);
    if (times === 0) this.figures.published += 1;
    else this.figures.republished += 1;
    const ids = this.told.get(key) ?? new Set();
    ids.add(id);
    this.told.set(key, ids);
  }

  redelivered(stanza: Stanza): void {
    this.figures.redelivered += 1;
    if (this.ackedStanzas.has(stanza.id)) this.breach('model', `${stanza.id} delivered after its ack`);
  }
}
