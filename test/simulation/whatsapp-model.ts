import type { Random } from '#test/chaos/random.ts';
import type { Books, DurableFacts } from './books.ts';
import { decodeFrame, type Frame, type Stanza, type Told } from './frames.ts';
import { chatOf } from './model-events.ts';
import { EPOCH_MS, type SimProcess, type Timeline } from './timeline.ts';

/** A client's end of a connection. */
export interface Client {
  told(message: Told): void;
  closed(code: number): void;
}

export interface Link {
  /** Writes a frame. What is written after the end is lost. */
  send(frame: Uint8Array): void;
  /** The client closes. */
  close(): void;
}

interface Line {
  readonly process: SimProcess;
  readonly client: Client;
  /** Arrival of the last thing in each direction: nothing overtakes. */
  upAt: number;
  downAt: number;
  open: boolean;
}

interface Contact {
  readonly chat: string;
  /** Messages it has written. */
  written: number;
}

interface Account {
  readonly session: string;
  readonly contacts: readonly Contact[];
  registered: boolean;
  online: Line | undefined;
  /** Not acknowledged by the client yet, oldest first. */
  readonly queue: Stanza[];
  readonly sentOnce: Set<string>;
  /** Messages of ours that the server has, by id, as their recipients see them. */
  readonly taken: Map<string, string>;
  /** Where each of them went. */
  readonly chats: Map<string, string>;
  /** Messages from contacts, in the order in which they were written. */
  readonly written: Extract<Stanza, { kind: 'message' }>[];
  receipts: number;
}

/** WhatsApp: keeps stanzas until they are acknowledged, lets one client in per account, drops what it knows by id. */
export class WhatsAppModel {
  readonly accounts = new Map<string, Account>();
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #books: Books;
  readonly #durable: DurableFacts;

  constructor(timeline: Timeline, random: Random, books: Books, durable: DurableFacts) {
    this.#timeline = timeline;
    this.#random = random;
    this.#books = books;
    this.#durable = durable;
  }

  addAccount(session: string, contacts: readonly string[]): void {
    this.accounts.set(session, {
      session,
      contacts: contacts.map((chat) => ({ chat: chatOf(chat), written: 0 })),
      registered: false,
      online: undefined,
      queue: [],
      sentOnce: new Set(),
      taken: new Map(),
      chats: new Map(),
      written: [],
      receipts: 0,
    });
  }

  account(session: string): Account {
    const account = this.accounts.get(session);
    if (account === undefined) throw new Error(`no account ${session}`);
    return account;
  }

  connect(session: string, process: SimProcess, client: Client): Link {
    const account = this.account(session);
    const line: Line = { process, client, upAt: 0, downAt: 0, open: true };
    return {
      send: (bytes) => {
        const frame = decodeFrame(bytes);
        this.#books.onWire(session, process, frame, this.#durable);
        if (line.open) this.#up(line, () => this.#receive(account, line, frame));
      },
      close: () => {
        this.#up(line, () => this.#drop(account, line));
      },
    };
  }

  /** Somebody writes to the account. */
  write(session: string): void {
    const account = this.account(session);
    const contact = this.#random.pick(account.contacts);
    contact.written += 1;
    const stanza: Stanza = {
      kind: 'message',
      id: `IN${account.written.length}-${session}`,
      from: contact.chat,
      n: contact.written,
      text: `in ${account.written.length}`,
      t: this.#seconds(),
    };
    account.written.push(stanza);
    this.#queue(account, stanza);
  }

  /** The connection breaks; each side learns of it in its own time. */
  cut(session: string): void {
    const account = this.account(session);
    const line = account.online;
    if (line === undefined) return;
    this.#drop(account, line);
    this.#timeline.in(line.process, this.#random.between(10, 4000), () => line.client.closed(428));
  }

  /** Everything that the dead process had open ends soon. */
  died(process: SimProcess): void {
    for (const account of this.accounts.values()) {
      const line = account.online;
      if (line?.process !== process) continue;
      this.#timeline.in(undefined, this.#random.between(5, 3000), () => this.#drop(account, line));
    }
  }

  /** The server sends something again that it has not seen the acknowledgement of. */
  repeat(session: string): void {
    const account = this.account(session);
    const stanza = account.queue[0];
    if (account.online !== undefined && stanza !== undefined) this.#stanza(account, account.online, stanza);
  }

  #receive(account: Account, line: Line, frame: Frame): void {
    if (!line.open) return;
    switch (frame.kind) {
      case 'login':
        this.#login(account, line, frame.paired);
        break;
      case 'pair-sign':
        account.registered = true;
        this.#close(account, line, 515);
        break;
      case 'ack': {
        const index = account.queue.findIndex(({ id }) => id === frame.id);
        if (index >= 0) account.queue.splice(index, 1);
        this.#books.ackedStanzas.add(frame.id);
        break;
      }
      case 'msg':
        this.#take(account, line, frame);
        break;
      case 'ping':
    }
  }

  #login(account: Account, line: Line, paired: boolean): void {
    if (paired && !account.registered) {
      this.#close(account, line, 401);
      return;
    }
    if (account.online !== undefined && account.online !== line) this.#close(account, account.online, 440);
    account.online = line;
    if (!paired) {
      if (account.registered) this.#books.breach('R8', `${account.session}: a new QR code although it is paired`);
      this.#down(line, { kind: 'qr' });
      this.#timeline.in(undefined, this.#random.between(200, 1500), () => this.#down(line, { kind: 'pair-success' }));
      return;
    }
    this.#down(line, { kind: 'success' });
    for (const stanza of [...account.queue]) this.#stanza(account, line, stanza);
    this.#down(line, { kind: 'caught-up' });
  }

  #take(account: Account, line: Line, { id, peer, content }: Extract<Frame, { kind: 'msg' }>): void {
    const isNew = !account.taken.has(id);
    if (isNew) account.taken.set(id, content);
    account.chats.set(id, peer);
    this.#down(line, { kind: 'server-ack', id, t: this.#seconds() });
    if (!isNew) return;
    const delay = this.#random.chance(0.2) ? this.#random.between(3000, 15_000) : this.#random.between(20, 800);
    this.#timeline.in(undefined, delay, () => {
      account.receipts += 1;
      const receipt = `RC${account.receipts}-${account.session}`;
      this.#queue(account, { kind: 'receipt', id: receipt, from: peer, messageId: id, t: this.#seconds() });
    });
  }

  #queue(account: Account, stanza: Stanza): void {
    account.queue.push(stanza);
    if (account.online !== undefined && account.registered) this.#stanza(account, account.online, stanza);
  }

  #stanza(account: Account, line: Line, stanza: Stanza): void {
    if (account.sentOnce.has(stanza.id)) this.#books.redelivered(stanza);
    account.sentOnce.add(stanza.id);
    this.#down(line, { kind: 'stanza', stanza });
  }

  #close(account: Account, line: Line, code: number): void {
    line.downAt = Math.max(line.downAt, this.#timeline.now + this.#random.between(1, 20));
    this.#timeline.in(line.process, line.downAt - this.#timeline.now, () => line.client.closed(code));
    this.#drop(account, line);
  }

  #drop(account: Account, line: Line): void {
    line.open = false;
    if (account.online === line) account.online = undefined;
  }

  #up(line: Line, arrive: () => void): void {
    line.upAt = Math.max(line.upAt, this.#timeline.now + this.#random.between(1, 20));
    this.#timeline.in(undefined, line.upAt - this.#timeline.now, () => {
      // What a process had written when it died may not have left its machine; then nothing after it has.
      if (!line.process.alive && this.#random.chance(0.5)) line.open = false;
      arrive();
    });
  }

  #down(line: Line, message: Told): void {
    if (!line.open) return;
    line.downAt = Math.max(line.downAt, this.#timeline.now + this.#random.between(1, 20));
    this.#timeline.in(line.process, line.downAt - this.#timeline.now, () => line.client.told(message));
  }

  #seconds(): number {
    return Math.floor((EPOCH_MS + this.#timeline.now) / 1000);
  }
}
