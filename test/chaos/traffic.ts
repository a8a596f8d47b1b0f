import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { ChaosSession } from './chaos-world.ts';
import type { Ledger } from './ledger.ts';
import type { Caller } from './patient-caller.ts';
import { type Random, seeded } from './random.ts';

/** How often a message in either direction begins a conversation. */
const FRESH_SHARE = 0.04;
const PAUSE_AFTER_REFUSAL_MS = 200;

export interface TrafficOptions {
  readonly api: Caller;
  /** The simulator's admin API. */
  readonly whatsapp: Caller;
  readonly ledger: Ledger;
  readonly sessions: readonly ChaosSession[];
  readonly seed: number;
  /** Messages per second over all sessions, in each direction. */
  readonly perSecond: number;
  readonly contacts: number;
  /** How many of the sessions are in the group, and what part of its members' messages goes there (0 to 1). */
  readonly groupSessions: number;
  readonly groupShare: number;
}

const sentSchema = z.object({ key: z.object({ id: z.string() }), _data: z.object({ jobId: z.string() }) });
const idSchema = z.object({ id: z.string() });
const phoneSchema = z.object({ phone: z.string() });

/**
 * People who write to the sessions and are written to by them, and a group of both. Every sender has one message
 * under way at a time, so that the order of what it said is beyond doubt.
 */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #random: Random;
  readonly #contacts: string[] = [];
  readonly #fresh: string[] = [];
  #group: { readonly id: string; readonly sessions: readonly ChaosSession[]; readonly phones: readonly string[] } = {
    id: '',
    sessions: [],
    phones: [],
  };
  #names = 0;
  #stopping = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#random = seeded(options.seed * 13 + 5);
  }

  /** Everybody who may have got something. */
  get phones(): readonly string[] {
    return [...this.#contacts, ...this.#fresh];
  }

  /** Sessions that get no group messages. */
  get outsideGroup(): readonly ChaosSession[] {
    return this.#options.sessions.filter((session) => !this.#group.sessions.includes(session));
  }

  async prepare(): Promise<void> {
    const { contacts, sessions, groupSessions, whatsapp } = this.#options;
    while (this.#contacts.length < contacts) this.#contacts.push(await this.#newContact());
    const members = sessions.slice(0, groupSessions);
    const [owner, ...phones] = this.#contacts.slice(0, 3);
    const participants = [...phones, ...members.map(({ phone }) => phone)];
    const answer = await whatsapp.call('POST', '/admin/groups', { owner, subject: 'Chaos', participants });
    this.#group = { id: idSchema.parse(answer).id, sessions: members, phones: this.#contacts.slice(0, 3) };
  }

  start(): void {
    const { sessions, perSecond } = this.#options;
    this.#loops = Promise.all([
      ...sessions.map((session) => this.#repeat((1000 * sessions.length) / perSecond, () => this.#sendFrom(session))),
      ...this.#contacts.map((contact) =>
        this.#repeat((1000 * this.#contacts.length) / perSecond, () => this.#sendTo(contact)),
      ),
    ]);
    // Whoever stops them hears of a failure.
    this.#loops.catch(() => {});
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
  }

  async #repeat(pauseMs: number, send: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    let due = performance.now() + this.#random.between(0, pauseMs);
    while (!signal.aborted) {
      await delay(Math.max(0, due - performance.now()), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      due = Math.max(due + pauseMs * this.#random.between(0.5, 1.5), performance.now() - pauseMs);
      await send();
    }
  }

  /** One message out of a session, through the API. */
  async #sendFrom(session: ChaosSession): Promise<void> {
    const { api, ledger, groupShare } = this.#options;
    const inGroup = this.#group.sessions.includes(session) && this.#random.chance(groupShare);
    const contact = inGroup ? undefined : await this.#partner();
    const chatId = contact === undefined ? this.#group.id : `${contact}@c.us`;
    const stream = `${session.name}>${chatId}`;
    const seq = ledger.nextIn(stream);
    const text = `out ${stream} ${seq}`;
    try {
      const answer = await api.call('POST', '/api/sendText', { session: session.name, chatId, text });
      const { key, _data } = sentSchema.parse(answer);
      const recipients = contact === undefined ? this.#group.phones : [contact];
      ledger.accepted.push({ id: key.id, stream, seq, text, session: session.name, jobId: _data.jobId, recipients });
    } catch {
      ledger.refused += 1;
      await delay(PAUSE_AFTER_REFUSAL_MS);
    }
  }

  /** One message from a contact to a session or the group. */
  async #sendTo(contact: string): Promise<void> {
    const { sessions, ledger, whatsapp, groupShare } = this.#options;
    const session = this.#random.pick(sessions);
    const inGroup = this.#group.phones.includes(contact) && this.#random.chance(groupShare);
    const sender = !inGroup && this.#random.chance(FRESH_SHARE) ? await this.#newFresh() : contact;
    const to = inGroup ? this.#group.id : session.phone;
    const stream = `${sender}>${to}`;
    const seq = ledger.nextIn(stream);
    const text = `in ${stream} ${seq}`;
    const { id } = idSchema.parse(await whatsapp.call('POST', `/admin/contacts/${sender}/send`, { to, text }));
    const receivers = inGroup ? this.#group.sessions : [session];
    ledger.sentIn.push({ id, stream, seq, text, sessions: receivers.map(({ name }) => name) });
  }

  async #partner(): Promise<string> {
    return this.#random.chance(FRESH_SHARE) ? await this.#newFresh() : this.#random.pick(this.#contacts);
  }

  async #newFresh(): Promise<string> {
    const phone = await this.#newContact();
    this.#fresh.push(phone);
    return phone;
  }

  async #newContact(): Promise<string> {
    this.#names += 1;
    const phone = `4917${String(this.#names).padStart(9, '0')}`;
    const contact = { name: `Contact ${this.#names}`, phone, script: { decrypt: 'all' } };
    return phoneSchema.parse(await this.#options.whatsapp.call('POST', '/admin/contacts', contact)).phone;
  }
}
