import { Agent } from 'node:https';
import makeWASocket, {
  type AuthenticationCreds,
  type BaileysEventMap,
  initAuthCreds,
  type SignalDataSet,
  type SignalDataTypeMap,
  type UserFacingSocketConfig,
  type WAMessage,
  type WASocket,
} from '@whiskeysockets/baileys';
import { silenceLibsignal } from './quiet-libsignal.ts';

const DEADLINE_MS = 15_000;

/** Baileys' auth state in memory; `drop` lets a test lose part of it. */
export class MemoryAuth {
  creds: AuthenticationCreds = initAuthCreds();
  readonly #keys = new Map<string, unknown>();

  readonly keys = {
    get: async <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
      const found: { [id: string]: SignalDataTypeMap[T] } = {};
      for (const id of ids) {
        const value = this.#keys.get(`${type}/${id}`);
        // The map holds under `type/` only what was set for that type.
        if (value !== undefined && value !== null) found[id] = value as SignalDataTypeMap[T];
      }
      return found;
    },
    set: async (data: SignalDataSet) => {
      for (const [type, entries] of Object.entries(data)) {
        for (const [id, value] of Object.entries(entries)) this.#keys.set(`${type}/${id}`, value);
      }
    },
  };

  drop(type: keyof SignalDataTypeMap): number {
    const lost = [...this.#keys.keys()].filter((key) => key.startsWith(`${type}/`));
    for (const key of lost) this.#keys.delete(key);
    return lost.length;
  }
}

export interface ClientOptions {
  readonly auth?: MemoryAuth;
  readonly pushName?: string;
  readonly phone?: string;
  readonly config?: Partial<UserFacingSocketConfig>;
}

/** As much of a simulator as a client needs, in this process or another. */
export interface Reachable {
  readonly wsUrl: string;
  readonly caPem: string;
  scanQr(text: string, phone?: string): Promise<unknown>;
}

const quiet = { level: 'silent', child: () => quiet, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** An unmodified Baileys client that reconnects after pairing, with everything it was told in lists. */
export class TestClient {
  readonly simulator: Reachable;
  readonly auth: MemoryAuth;
  readonly options: ClientOptions;
  readonly messages: WAMessage[] = [];
  readonly sent = new Map<string, WAMessage>();
  readonly updates: BaileysEventMap['messages.update'] = [];
  readonly receipts: BaileysEventMap['message-receipt.update'] = [];
  readonly closes: number[] = [];
  readonly qrCodes: string[] = [];
  readonly seen = new Map<string, unknown[]>();
  opened = 0;
  restarts = true;
  sock!: WASocket;

  constructor(simulator: Reachable, options: ClientOptions = {}) {
    silenceLibsignal();
    this.simulator = simulator;
    this.options = options;
    this.auth = options.auth ?? new MemoryAuth();
  }

  get jid(): string {
    return `${this.phone}@s.whatsapp.net`;
  }

  get phone(): string {
    return this.auth.creds.me?.id.split(/[:@]/)[0] ?? '';
  }

  get device(): number {
    return Number(/:(\d+)@/.exec(this.auth.creds.me?.id ?? '')?.[1] ?? 0);
  }

  get lid(): string {
    return `${this.auth.creds.me?.lid?.split(/[:@]/)[0]}@lid`;
  }

  connect(): void {
    const agent = new Agent({ ca: this.simulator.caPem });
    const sock = makeWASocket({
      auth: this.auth,
      waWebSocketUrl: this.simulator.wsUrl,
      logger: quiet,
      fetchAgent: agent,
      ...(this.options.pushName === undefined ? {} : { pushName: this.options.pushName }),
      getMessage: async (key) => this.sent.get(key.id ?? '')?.message ?? undefined,
      ...this.options.config,
    });
    this.sock = sock;
    sock.ev.process((events) => this.#take(sock, events));
  }

  #take(sock: WASocket, events: Partial<BaileysEventMap>): void {
    for (const [name, event] of Object.entries(events)) {
      this.seen.set(name, [...(this.seen.get(name) ?? []), event]);
    }
    if (events['creds.update']) Object.assign(this.auth.creds, events['creds.update']);
    this.messages.push(...(events['messages.upsert']?.messages ?? []));
    this.updates.push(...(events['messages.update'] ?? []));
    this.receipts.push(...(events['message-receipt.update'] ?? []));
    const update = events['connection.update'];
    if (update?.qr) this.qrCodes.push(update.qr);
    if (update?.connection === 'open') this.opened += 1;
    if (update?.connection !== 'close' || sock !== this.sock) return;
    const error: unknown = update.lastDisconnect?.error;
    const code = statusOf(error);
    this.closes.push(code);
    if (code === 515 && this.restarts) this.connect();
  }

  /** Connects and links by QR code; resolves when the login after it is open. */
  async pair(): Promise<this> {
    this.connect();
    const qr = await until('a QR code', () => this.qrCodes[0]);
    await this.simulator.scanQr(qr, this.options.phone);
    await until('the login after pairing', () => this.opened > 0);
    return this;
  }

  /** Connects with the state it has; resolves when it is open. */
  async login(): Promise<this> {
    const before = this.opened;
    this.connect();
    await until('the login', () => this.opened > before);
    return this;
  }

  async send(to: string, content: Parameters<WASocket['sendMessage']>[1]): Promise<WAMessage> {
    const message = await this.sock.sendMessage(to, content);
    if (!message?.key.id) throw new Error('Baileys sent nothing');
    this.sent.set(message.key.id, message);
    return message;
  }

  /** The first message that fits, received or to come. */
  message(fits: (message: WAMessage) => boolean): Promise<WAMessage> {
    return until('a message', () => this.messages.find(fits));
  }

  text(text: string): Promise<WAMessage> {
    return until(`the text "${text}"`, () => this.messages.find((message) => textOf(message) === text));
  }

  /** How far a sent message is known to have come; Baileys folds early receipts into the message itself. */
  status(id: string | null | undefined): number {
    const updated = this.updates.filter(({ key }) => key.id === id).map(({ update }) => update.status ?? 0);
    const folded = this.messages.filter(({ key }) => key.id === id).map(({ status }) => status ?? 0);
    return Math.max(0, ...updated, ...folded);
  }

  /** Whether the server has refused a message. */
  failed(id: string | null | undefined): boolean {
    const updated = this.updates.some(({ key, update }) => key.id === id && update.status === 0);
    return updated || this.messages.some(({ key, status }) => key.id === id && status === 0);
  }

  async close(): Promise<void> {
    const { sock } = this;
    const open = sock.ws.isOpen;
    this.restarts = false;
    sock.end(undefined);
    if (open) await until('the socket to close', () => sock.ws.isClosed);
  }
}

function textOf({ message }: WAMessage): string | undefined {
  return message?.conversation || message?.extendedTextMessage?.text || undefined;
}

/** Polls until `probe` yields something, or fails naming what was waited for. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<Exclude<T, undefined | false | null>> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const found = await probe();
    // The excluded values are the ones just ruled out.
    if (found) return found as Exclude<T, undefined | false | null>;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('output' in error)) return 0;
  const { output } = error;
  return typeof output === 'object' && output !== null && 'statusCode' in output ? Number(output.statusCode) : 0;
}
