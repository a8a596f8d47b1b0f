/** Counters of one simulator run; `GET /admin/stats` answers with {@link StatsSnapshot}. */
export interface StatsSnapshot {
  readonly connections: number;
  readonly registrations: number;
  readonly logins: number;
  readonly pings: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly receiptsIn: number;
  readonly nacks: number;
  readonly retries: number;
  readonly uploads: number;
  /** How often phones were asked for files that the server has dropped. */
  readonly reuploads: number;
  readonly downloads: number;
  readonly decryptionFailures: number;
  /** Ciphertexts of clients made with a key that had made another one, see `ratchet-watch.ts`. */
  readonly counterReuses: number;
  readonly violations: readonly string[];
  readonly unknownIqs: Readonly<Record<string, number>>;
  readonly unknownStanzas: Readonly<Record<string, number>>;
  readonly openConnectionsPerDevice: Readonly<Record<string, number>>;
}

/** How many violation texts are kept; the list must not grow without bound under a broken client. */
const KEPT_VIOLATIONS = 200;

export class Stats {
  connections = 0;
  registrations = 0;
  logins = 0;
  pings = 0;
  messagesIn = 0;
  messagesOut = 0;
  receiptsIn = 0;
  nacks = 0;
  retries = 0;
  uploads = 0;
  reuploads = 0;
  downloads = 0;
  decryptionFailures = 0;
  counterReuses = 0;
  readonly violations: string[] = [];
  readonly unknownIqs: Record<string, number> = {};
  readonly unknownStanzas: Record<string, number> = {};
  readonly openConnectionsPerDevice: Record<string, number> = {};

  violation(text: string): void {
    if (this.violations.length < KEPT_VIOLATIONS) this.violations.push(text);
  }

  unknownIq(name: string): void {
    this.unknownIqs[name] = (this.unknownIqs[name] ?? 0) + 1;
  }

  unknownStanza(name: string): void {
    this.unknownStanzas[name] = (this.unknownStanzas[name] ?? 0) + 1;
  }

  connectionsOf(device: string, change: 1 | -1): void {
    const open = (this.openConnectionsPerDevice[device] ?? 0) + change;
    if (open > 0) this.openConnectionsPerDevice[device] = open;
    else delete this.openConnectionsPerDevice[device];
  }

  snapshot(): StatsSnapshot {
    return structuredClone({ ...this });
  }
}
