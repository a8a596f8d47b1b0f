import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Account, phoneFromName, primaryOf } from './accounts.ts';
import { handleAdmin } from './admin.ts';
import {
  type CallRequest,
  type ContactRequest,
  callSchema,
  contactSchema,
  type GroupChangeRequest,
  type GroupRequest,
  groupChangeSchema,
  groupSchema,
  type ReadRequest,
  type SendRequest,
  type SyncInput,
  type TypingRequest,
} from './admin-requests.ts';
import { placeCall } from './calls.ts';
import type { ClientLogEntry } from './client-log.ts';
import { sessionsMatching } from './delivery.ts';
import { removeDevice } from './device-list.ts';
import { type FaultInput, faultSchema } from './faults.ts';
import { changeMembers, createGroup } from './group-iqs.ts';
import type { ChatEvent, InboxEntry } from './inbox.ts';
import { enterCode } from './link-code.ts';
import { MediaStore, serveMedia } from './media.ts';
import { NotFound } from './not-found.ts';
import { Phone } from './phone.ts';
import {
  type RetryRequest,
  readCommand,
  retryCommand,
  sendCommand,
  syncCommand,
  typingCommand,
} from './phone-commands.ts';
import { type Listener, listen } from './port-listener.ts';
import { preKeyCounts } from './prekeys.ts';
import { announcePresence } from './presence.ts';
import { silenceLibsignal } from './quiet-libsignal.ts';
import { findScanned, type Linked, link } from './registration.ts';
import { type Script, type ScriptInput, scriptSchema } from './script.ts';
import { Server } from './server.ts';
import { readSnapshot, restoreSnapshot, SnapshotWriter, takeSnapshot } from './snapshot.ts';
import { serveClient } from './stanza-dispatch.ts';
import type { StatsSnapshot } from './stats.ts';
import { attrText, node } from './wire/binary-node.ts';
import { falseIdentity } from './wire/false-identity.ts';
import { acceptConnection } from './wire/server-connection.ts';
import { createServerIdentity } from './wire/server-identity.ts';
import { createTestCa } from './wire/tls.ts';
import { WireError } from './wire/wire-error.ts';

export interface SimulatorOptions {
  /** @default '127.0.0.1' */
  readonly host?: '127.0.0.1';
  /** @default 0, any free port */
  readonly port?: number;
  /** Folder for what survives a restart; nothing does without it. */
  readonly dataDir?: string;
  /** Where to write the CA's certificate. @default dataDir/ca.pem, nowhere without dataDir */
  readonly caFile?: string;
  /** Delay of every delivery to a client, ms. @default 0 */
  readonly deliveryDelayMs?: number;
  /** Delay of receipts and scripted replies, ms. @default 60 */
  readonly receiptDelayMs?: number;
  /** What new phones decrypt, the sender's own included; contacts have it in their script. @default 'all' */
  readonly decrypt?: Script['decrypt'];
  /** Subject of a group each newly linked account is made a member of. @default none */
  readonly testGroup?: string;
}

/** One account as `GET /admin/accounts` lists it. */
export interface AccountListing {
  readonly phone: string;
  readonly lid: string;
  readonly name: string;
  readonly devices: readonly { readonly id: number; readonly online: boolean; readonly pending: number }[];
  readonly preKeys: Readonly<Record<number, number>>;
}

export interface InboxQuery {
  /** Only entries after this number. */
  readonly since?: number;
  /** How long to wait for the first one, ms. */
  readonly waitMs?: number;
}

/** Starts a WhatsApp server on one loopback port. @throws Error when the port is taken or the snapshot unreadable. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  silenceLibsignal();
  const { dataDir } = options;
  const snapshotPath = dataDir === undefined ? undefined : join(dataDir, 'simulator.json');
  const saved = snapshotPath === undefined ? undefined : await readSnapshot(snapshotPath);
  const ca = saved?.ca ?? (await createTestCa());
  const media = new MediaStore(dataDir === undefined ? undefined : join(dataDir, 'media'));
  const settings = {
    deliveryDelayMs: options.deliveryDelayMs ?? 0,
    receiptDelayMs: options.receiptDelayMs ?? 60,
    decrypt: options.decrypt ?? 'all',
    testGroup: options.testGroup,
  };
  let writer: SnapshotWriter | undefined;
  const server = new Server(createServerIdentity(saved?.identity), settings, media, () => writer?.schedule());
  if (saved) restoreSnapshot(server, saved);
  const caFile = options.caFile ?? (dataDir === undefined ? undefined : join(dataDir, 'ca.pem'));
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
  if (caFile !== undefined) await writeFile(caFile, ca.caPem);
  if (snapshotPath !== undefined) {
    writer = new SnapshotWriter(snapshotPath, () => takeSnapshot(server, ca));
    await writer.flush();
  }
  const host = options.host ?? '127.0.0.1';
  const simulator: Simulator = new Simulator(server, ca.caPem, caFile, writer);
  const listener = await listen(host, options.port ?? 0, ca, {
    request: (request, response) => {
      const url = new URL(request.url ?? '/', 'http://simulator.invalid');
      const media = url.pathname.startsWith('/mms/') || url.pathname.startsWith('/v/');
      const served = media
        ? serveMedia(server, request, response, url)
        : handleAdmin(simulator, request, response, url);
      served.catch((error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))));
    },
    socket: (socket) => {
      const strangers = server.faults.strike('false-identity', { phone: '', device: 0 });
      const identity = strangers ? falseIdentity(server.identity, strangers.identity) : server.identity;
      acceptConnection(socket, identity).then(
        (connection) => serveClient(server, connection),
        (error: unknown) => {
          const left = error instanceof WireError && error.message.includes('left during the handshake');
          if (!left) server.stats.violation(`handshake: ${error instanceof Error ? error.message : String(error)}`);
        },
      );
    },
  });
  simulator.opened(listener, host);
  return simulator;
}

/** A running WhatsApp server; every admin request is a method of its own. */
export class Simulator {
  readonly #server: Server;
  readonly #writer: SnapshotWriter | undefined;
  #listener: Listener | undefined;
  #host = '';
  /** What media URLs are served under; clients trust it through `NODE_EXTRA_CA_CERTS`. */
  readonly caPem: string;
  readonly caFile: string | undefined;

  constructor(server: Server, caPem: string, caFile: string | undefined, writer: SnapshotWriter | undefined) {
    this.#server = server;
    this.caPem = caPem;
    this.caFile = caFile;
    this.#writer = writer;
  }

  opened(listener: Listener, host: string): void {
    this.#listener = listener;
    this.#host = host;
    this.#server.mediaHost = `${host}:${listener.port}`;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  get wsUrl(): string {
    return `ws://${this.#host}:${this.port}/ws/chat`;
  }

  get wssUrl(): string {
    return `wss://${this.#host}:${this.port}/ws/chat`;
  }

  get adminUrl(): string {
    return `http://${this.#host}:${this.port}/admin`;
  }

  /** Public key behind the server's Noise certificates, 32 bytes in base64: what a client has to trust. */
  get rootKey(): string {
    return this.#server.identity.rootPublicKey.toString('base64');
  }

  /** Cuts every connection, writes the snapshot and frees the port. */
  async close(): Promise<void> {
    this.#server.close();
    await this.#listener?.close();
    await this.#writer?.flush();
  }

  /** Scans a QR code with the phone given, or one derived from the client's push name. @throws ScanRejected */
  async scanQr(text: string, phone?: string): Promise<Linked> {
    const { registration, advSecret } = findScanned(this.#server, text);
    const name = registration.pushName ?? '';
    const number = phone?.replace(/\D/g, '') || phoneFromName(name || text);
    const account = this.#server.accounts.byPhone(number) ?? this.#createAccount(number, name);
    return link(this.#server, registration, account, advSecret);
  }

  /** Types a pairing code on the phone of this number. @throws ScanRejected */
  async enterCode(phone: string, code: string): Promise<Linked> {
    const account = this.#server.accounts.byPhone(phone) ?? this.#createAccount(phone, '');
    return enterCode(this.#server, account, code);
  }

  /** Creates a contact, or changes the name and script of an account that exists. */
  addContact(input: ContactRequest): { phone: string; lid: string } {
    const { phone, name, script } = contactSchema.parse(input);
    const number = phone ?? phoneFromName(name);
    const account = this.#server.accounts.byPhone(number) ?? this.#createAccount(number, name, false);
    account.name = name;
    account.simulated.script = script;
    this.#server.changed();
    return { phone: account.phone, lid: account.lid };
  }

  /** Gives any phone another script, those of linked clients included. */
  setScript(phone: string, input: ScriptInput): void {
    this.#phone(phone).script = scriptSchema.parse(input);
    this.#server.changed();
  }

  /** Messages a phone has decrypted; waits for one when there is none yet and `waitMs` is given. */
  async inbox(
    phone: string,
    { since = 0, waitMs = 0 }: InboxQuery = {},
  ): Promise<readonly (InboxEntry & { raw: unknown })[]> {
    const received = await this.#phone(phone).inbox.next(since, waitMs);
    return received.map(({ entry, message }) => ({ ...entry, raw: JSON.parse(JSON.stringify(message)) }));
  }

  /** Receipts and typing a phone has seen. */
  events(phone: string, { since = 0, waitMs = 0 }: InboxQuery = {}): Promise<readonly ChatEvent[]> {
    return this.#phone(phone).events.next(since, waitMs);
  }

  send(phone: string, request: SendRequest): Promise<{ id: string }> {
    return sendCommand(this.#phone(phone), request);
  }

  typing(phone: string, request: TypingRequest): void {
    typingCommand(this.#phone(phone), request);
  }

  /** Archives a chat, changes a label or labels a chat on the phone. */
  sync(phone: string, request: SyncInput): Promise<void> {
    return syncCommand(this.#phone(phone), request);
  }

  read(phone: string, request: ReadRequest): void {
    readCommand(this.#phone(phone), request);
  }

  /** Has a phone ask another account's client for a message again. */
  askAgain(phone: string, of: string, request: RetryRequest): Promise<void> {
    return retryCommand(this.#phone(phone), this.#account(of), request);
  }

  /** Calls a linked account, or goes on with a call. */
  call(phone: string, request: CallRequest): { id: string } {
    const { to, ...step } = callSchema.parse(request);
    return placeCall(this.#server, this.#account(phone), this.#account(to), step);
  }

  /** Shows the phone itself as online or not. */
  presence(phone: string, available: boolean): void {
    const { account } = this.#phone(phone);
    account.simulated.available = available;
    announcePresence(this.#server, account);
  }

  /** Makes a phone lose all its Signal sessions, as a reinstalled one would. */
  forgetSessions(phone: string): void {
    this.#phone(phone).store.forgetAllSessions();
  }

  createGroup(input: GroupRequest): { id: string } {
    const { owner, subject, participants, addressing } = groupSchema.parse(input);
    const members = participants.map((phone) => this.#account(phone));
    const created = createGroup(this.#server, primaryOf(this.#account(owner)), subject, members, addressing);
    return { id: `${attrText(created, 'id')}@g.us` };
  }

  /** Changes a group's members; the actor's rights are not asked for. */
  changeGroup(input: GroupChangeRequest): void {
    const { id, actor, change, participants } = groupChangeSchema.parse(input);
    const group = this.#server.groups.find(id);
    if (!group) throw new NotFound(`there is no group ${id}`);
    const accounts = participants.map((phone) => this.#account(phone));
    changeMembers(this.#server, group, primaryOf(this.#account(actor)), change, accounts);
  }

  /** Removes a linked client on the phone: it is told 401 device_removed and cannot come back. */
  unlink(phone: string, deviceId: number): void {
    const device = this.#account(phone).devices.get(deviceId);
    if (!device || device.id === 0) throw new NotFound(`${phone} has no device ${deviceId}`);
    removeDevice(this.#server, device);
  }

  /** Commits a fault now or arms it for later, see {@link faultSchema}. */
  addFault(input: FaultInput): void {
    const fault = faultSchema.parse(input);
    const atOnce = fault.kind === 'stream-error' || (fault.kind === 'cut' && fault.match.tag === undefined);
    if (!atOnce) {
      this.#server.faults.add(fault);
      return;
    }
    for (const device of sessionsMatching(this.#server, fault)) {
      if (fault.kind === 'cut') device.session?.terminate();
      else device.session?.end(node('stream:error', { code: String(fault.code ?? 503) }));
    }
  }

  clearFaults(): void {
    this.#server.faults.clear();
  }

  stats(): StatsSnapshot {
    return this.#server.stats.snapshot();
  }

  /** What linked clients did, after entry number `since`. */
  clientLog({ since = 0, waitMs = 0 }: InboxQuery = {}): Promise<readonly ClientLogEntry[]> {
    return this.#server.clientLog.next(since, waitMs);
  }

  accounts(): readonly AccountListing[] {
    return [...this.#server.accounts.all()].map((account) => ({
      phone: account.phone,
      lid: account.lid,
      name: account.name,
      devices: [...account.devices.values()].map((device) => ({
        id: device.id,
        online: device.session?.active ?? false,
        pending: device.pending.size,
      })),
      preKeys: preKeyCounts(account),
    }));
  }

  #createAccount(phone: string, name: string, client = true): Account {
    const account = this.#server.accounts.create(
      phone,
      name.replaceAll('@', ''),
      (owner) => new Phone(this.#server, owner),
    );
    const { testGroup } = this.#server.settings;
    if (client && testGroup !== undefined) createGroup(this.#server, primaryOf(account), testGroup, []);
    this.#server.changed();
    return account;
  }

  #account(phone: string): Account {
    const account = this.#server.accounts.byPhone(phone);
    if (!account) throw new NotFound(`nobody has the number ${phone}`);
    return account;
  }

  #phone(phone: string): Phone {
    return this.#account(phone).simulated;
  }
}
