import { randomBytes } from 'node:crypto';
import { AccountBook, type Device } from './accounts.ts';
import { ClientLog } from './client-log.ts';
import type { ClientSession } from './client-session.ts';
import { FaultTable } from './faults.ts';
import { GroupBook } from './groups.ts';
import { LinkCodeBook } from './link-code.ts';
import type { MediaStore } from './media.ts';
import { RatchetWatch } from './ratchet-watch.ts';
import type { Registration } from './registration.ts';
import type { Script } from './script.ts';
import { Stats } from './stats.ts';
import type { ServerIdentity } from './wire/server-identity.ts';

/** How the simulator behaves; milliseconds throughout. */
export interface ServerSettings {
  /** Delay of every delivery to a client. */
  readonly deliveryDelayMs: number;
  /** Delay of receipts and scripted follow-ups, so that clients do not fold them into their own send. */
  readonly receiptDelayMs: number;
  /** How much new phones decrypt until their script says otherwise. */
  readonly decrypt: Script['decrypt'];
  /** Subject of a group every new account is a member of; none when undefined. */
  readonly testGroup: string | undefined;
}

/** Everything one simulator run knows, handed explicitly to each area of the protocol. */
export class Server {
  readonly accounts = new AccountBook();
  readonly groups = new GroupBook();
  readonly stats = new Stats();
  readonly faults = new FaultTable();
  readonly clientLog = new ClientLog();
  readonly ratchets = new RatchetWatch();
  /** Clients waiting to be paired, by each QR reference they were given. */
  readonly registrations = new Map<string, Registration>();
  /** Clients that show a pairing code, by the phone number they asked for. */
  readonly linkCodes = new LinkCodeBook();
  readonly sessions = new Set<ClientSession>();
  /** Who has been listed for a device's status updates so far. */
  readonly statusAudiences = new Map<Device, Set<Device>>();
  readonly identity: ServerIdentity;
  readonly settings: ServerSettings;
  readonly media: MediaStore;
  /** `host:port` clients reach the media store at. */
  mediaHost = '';
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #onChange: () => void;
  readonly #idPrefix = randomBytes(3).readUIntBE(0, 3);
  #ids = 0;
  #closed = false;

  constructor(identity: ServerIdentity, settings: ServerSettings, media: MediaStore, onChange: () => void) {
    this.identity = identity;
    this.settings = settings;
    this.media = media;
    this.#onChange = onChange;
  }

  /** An id for a stanza of the server's own, never used before in any run. */
  nextId(): string {
    this.#ids += 1;
    return `${Math.floor(Date.now() / 1000)}.${this.#idPrefix}-${this.#ids}`;
  }

  /** Tells the snapshot that lasting state has changed. */
  changed(): void {
    this.#onChange();
  }

  /** Runs `action` after `ms`, at once for 0; forgotten when the server closes. */
  later(ms: number, action: () => void): void {
    if (this.#closed) return;
    if (ms <= 0) {
      action();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const session of this.sessions) session.terminate();
  }
}
