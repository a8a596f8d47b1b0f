import { randomBytes } from 'node:crypto';
import type { proto } from '@whiskeysockets/baileys';
import type { Account, Device } from './accounts.ts';
import { runScript } from './contact-script.ts';
import { introduceDevice } from './history.ts';
import { type ChatEvent, type Received, WaitableLog } from './inbox.ts';
import { answerReupload } from './media-reupload.ts';
import { describeMessage, unpad } from './message-content.ts';
import { answerRetry, phoneReceipt, requestRetry } from './phone-receipts.ts';
import { type Sending, type SentMessage, sendFrom } from './phone-sending.ts';
import { type PhoneState, readSenderKey, writeSenderKey } from './phone-state.ts';
import { receiptIds } from './receipt-ids.ts';
import type { Script } from './script.ts';
import { decryptWithSenderKey, readDistribution, type SenderKey, senderKeyIdOf } from './sender-keys.ts';
import type { Server } from './server.ts';
import { SignalStore } from './signal-store.ts';
import { attrJid, attrText, type BinaryNode, bytes, children, requireJid, requireText } from './wire/binary-node.ts';
import { formatJid, type Jid } from './wire/jid.ts';

/** How many messages of its own a phone keeps for retries, and how many ids for spotting repeats. */
const KEPT = 1000;
/** With `decrypt: 'sample'`, one message in this many is decrypted. */
const SAMPLE = 50;

/** Device 0 of an account: a phone that encrypts, decrypts and answers as its script says. */
export class Phone {
  readonly server: Server;
  readonly account: Account;
  readonly store: SignalStore;
  /** Sender keys of others and, under the phone's own name, of itself. */
  readonly senderKeys = new Map<string, SenderKey>();
  /** Devices that hold the phone's own sender key, per group id. */
  readonly distributed = new Map<string, Set<string>>();
  readonly inbox = new WaitableLog<Received>();
  readonly events = new WaitableLog<ChatEvent>();
  readonly sent = new Map<string, SentMessage>();
  readonly appStateKey: { readonly id: Buffer; readonly data: Buffer };
  script: Script;
  /** Whether the phone itself shows as online, apart from its linked clients. */
  available = false;
  readonly #seen = new Set<string>();
  #queue: Promise<unknown> = Promise.resolve();
  #received = 0;

  constructor(server: Server, account: Account, state?: PhoneState) {
    this.server = server;
    this.account = account;
    this.store = new SignalStore(account, state?.signal);
    this.script = state?.script ?? { readReceipts: false, typing: false, decrypt: server.settings.decrypt };
    this.appStateKey = state?.appStateKey ?? { id: randomBytes(6), data: randomBytes(32) };
    if (!state) return;
    for (const [name, key] of state.senderKeys) this.senderKeys.set(name, readSenderKey(key));
    for (const [group, devices] of state.distributed) this.distributed.set(group, new Set(devices));
  }

  state(): PhoneState {
    return {
      signal: this.store.state(),
      senderKeys: [...this.senderKeys].map(([name, key]) => [name, writeSenderKey(key)]),
      distributed: [...this.distributed].map(([group, devices]) => [group, [...devices]]),
      appStateKey: this.appStateKey,
      script: this.script,
    };
  }

  freshPreKey(): { readonly id: number; readonly publicKey: Buffer } {
    const key = this.store.freshPreKey();
    this.server.changed();
    return key;
  }

  /** Runs Signal work one piece after the other; a failure is counted and stops nothing behind it. */
  enqueue<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(job);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** Takes any stanza the server delivers to device 0. */
  receive(stanza: BinaryNode): void {
    const { tag } = stanza;
    if (tag === 'message') this.#run(() => this.#receiveMessage(stanza));
    else if (tag === 'receipt') this.#receiveReceipt(stanza);
    else if (tag === 'chatstate') this.#receiveTyping(stanza);
  }

  /** Sends a message as this phone; resolves with its id when it is on its way. */
  send(sending: Sending): Promise<string> {
    return this.enqueue(() => sendFrom(this, sending));
  }

  /** A client of its own asks for a file that the server has dropped. */
  uploadAgain(device: Device, receipt: BinaryNode): void {
    this.#run(() => answerReupload(this, device, receipt));
  }

  /** Gives a newly linked client what it needs for a start: the app-state key and its history. */
  introduce(device: Device): void {
    this.#run(() => introduceDevice(this, device));
  }

  #run(job: () => Promise<void>): void {
    this.enqueue(job).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      this.server.stats.violation(`phone ${this.account.phone}: ${text}`);
    });
  }

  async #receiveMessage(stanza: BinaryNode): Promise<void> {
    const author = attrJid(stanza, 'participant') ?? requireJid(stanza, 'from');
    const sender = this.server.accounts.findDevice(author);
    if (!sender) return;
    const fromMe = sender.account === this.account;
    this.#received += 1;
    const { decrypt } = this.script;
    if (decrypt === 'none' || (decrypt === 'sample' && this.#received % SAMPLE !== 1)) {
      if (!fromMe) phoneReceipt(this, stanza, author);
      return;
    }
    let message: proto.IMessage | undefined;
    try {
      message = await this.#decrypt(stanza, sender);
    } catch {
      this.server.stats.decryptionFailures += 1;
      requestRetry(this, stanza, author);
      return;
    }
    if (!message || attrText(stanza, 'category') === 'peer') return;
    if (!fromMe) phoneReceipt(this, stanza, author);
    const id = requireText(stanza, 'id');
    if (this.#seenBefore(`${id} ${formatJid(author)}`)) {
      const { clientLog } = this.server;
      const known = { asked: clientLog.wasAsked(id), proven: clientLog.wasProven(id) };
      if (!fromMe) clientLog.note({ kind: 'repeat', phone: this.account.phone, id, ...known });
      return;
    }
    await this.#record(stanza, sender, author, message);
  }

  async #record(stanza: BinaryNode, sender: Device, author: Jid, message: proto.IMessage): Promise<void> {
    const fromMe = sender.account === this.account;
    const from = requireJid(stanza, 'from');
    const address = attrJid(stanza, 'recipient') ?? from;
    const chat: Jid = { user: address.user, server: address.server };
    const described = await describeMessage(this.server, message);
    const received = this.inbox.append((n) => ({
      n,
      message,
      chat,
      author,
      entry: {
        n,
        id: requireText(stanza, 'id'),
        from: `${sender.account.phone}@s.whatsapp.net`,
        fromLid: `${sender.account.lid}@lid`,
        fromDevice: sender.id,
        fromMe,
        chat: formatJid(chat),
        timestamp: Number(attrText(stanza, 't') ?? 0),
        ...described,
        receivedAt: Date.now(),
      },
    }));
    if (!fromMe && sender.id > 0) runScript(this, received);
  }

  /** Reads every ciphertext of the stanza; key distributions come first and only the last one is the message. */
  async #decrypt(stanza: BinaryNode, sender: Device): Promise<proto.IMessage | undefined> {
    let message: proto.IMessage | undefined;
    for (const enc of children(stanza, 'enc')) {
      const body = bytes(enc) ?? Buffer.alloc(0);
      const type = requireText(enc, 'type');
      if (type === 'skmsg') {
        message = unpad(this.#decryptGroup(requireJid(stanza, 'from'), sender, body));
        continue;
      }
      const direct = unpad(await this.store.decrypt(sender, type, body));
      this.server.changed();
      const distribution = direct.senderKeyDistributionMessage;
      if (distribution?.axolotlSenderKeyDistributionMessage) {
        const key = readDistribution(distribution.axolotlSenderKeyDistributionMessage);
        this.senderKeys.set(senderKeyName(distribution.groupId ?? '', sender, key.id), key);
      }
      message ??= direct;
    }
    return message;
  }

  #decryptGroup(group: Jid, sender: Device, body: Buffer): Buffer {
    const key = this.senderKeys.get(senderKeyName(formatJid(group), sender, senderKeyIdOf(body)));
    if (!key) throw new Error('the sender key is unknown');
    const plaintext = decryptWithSenderKey(key, body);
    this.server.changed();
    return plaintext;
  }

  #receiveReceipt(stanza: BinaryNode): void {
    const from = requireJid(stanza, 'from');
    const reader = attrJid(stanza, 'participant') ?? from;
    if (attrText(stanza, 'type') === 'retry') {
      this.#run(() => answerRetry(this, stanza, reader));
      return;
    }
    this.events.append((n) => ({
      n,
      kind: 'receipt',
      from: formatJid({ user: reader.user, server: reader.server }),
      chat: formatJid({ user: from.user, server: from.server }),
      state: attrText(stanza, 'type') ?? 'delivered',
      ids: receiptIds(stanza),
      at: Date.now(),
    }));
  }

  #receiveTyping(stanza: BinaryNode): void {
    const from = requireJid(stanza, 'from');
    const state = children(stanza)[0];
    if (!state) return;
    const recording = state.tag === 'composing' && attrText(state, 'media') === 'audio';
    this.events.append((n) => ({
      n,
      kind: 'typing',
      from: formatJid(attrJid(stanza, 'participant') ?? from),
      chat: formatJid(from),
      state: recording ? 'recording' : state.tag,
      ids: [],
      at: Date.now(),
    }));
  }

  // A client that is asked to send again sends to every device, so the same message may come twice.
  #seenBefore(key: string): boolean {
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    if (this.#seen.size > KEPT) {
      const oldest = this.#seen.values().next();
      if (!oldest.done) this.#seen.delete(oldest.value);
    }
    return false;
  }

  /** Keeps a message of its own until it is too old to be asked for again. */
  remember(id: string, message: SentMessage): void {
    this.sent.set(id, message);
    if (this.sent.size > KEPT) {
      const oldest = this.sent.keys().next();
      if (!oldest.done) this.sent.delete(oldest.value);
    }
  }
}

const senderKeyName = (group: string, sender: Device, keyId: number): string =>
  `${group} ${sender.account.lid}:${sender.id} ${keyId}`;
