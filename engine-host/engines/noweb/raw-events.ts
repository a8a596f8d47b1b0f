import type { EngineEvent } from '../engine.ts';

/** Longest raw event, as JSON. */
const LONGEST = 100_000;
/** Raw events are not kept: what the bus does not take in time is left out. */
const MOST_UNDER_WAY = 500;
/** Keys of the account; with the first one everybody could go on as this device. */
const SECRET_EVENTS: ReadonlySet<string> = new Set(['creds.update']);
const SECRET_FIELDS: ReadonlySet<string> = new Set(['qr', 'appStateSyncKeyShare', 'historySyncNotification']);

export interface RawEventPorts {
  /** Whether somebody has asked for them by name. */
  wanted(): boolean;
  emit(event: EngineEvent, published: () => void): void;
  /** Milliseconds since 1970. */
  now(): number;
}

/** What Baileys tells, word for word but for keys, for whoever has asked for it. */
export class RawEvents {
  readonly #ports: RawEventPorts;
  #underWay = 0;
  #count = 0;

  constructor(ports: RawEventPorts) {
    this.#ports = ports;
  }

  tell(name: string, data: unknown): void {
    if (SECRET_EVENTS.has(name) || this.#underWay >= MOST_UNDER_WAY || !this.#ports.wanted()) return;
    this.#count += 1;
    this.#underWay += 1;
    const timestamp = this.#ports.now();
    const payload = { event: name, data: plain(data) };
    this.#ports.emit({ body: { event: 'engine.event', payload }, key: `${name}_${this.#count}`, timestamp }, () => {
      this.#underWay -= 1;
    });
  }
}

function plain(data: unknown): unknown {
  try {
    const text = JSON.stringify(data, (key, value: unknown) => (SECRET_FIELDS.has(key) ? undefined : readable(value)));
    return text === undefined || text.length > LONGEST ? { omitted: text?.length ?? 0 } : JSON.parse(text);
  } catch {
    // It refers to itself, which JSON cannot say.
    return { omitted: 0 };
  }
}

function readable(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Error) return value.message;
  // What a Buffer makes of itself before anybody is asked.
  if ('type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data)) {
    return Buffer.from(value.data).toString('base64');
  }
  return 'toNumber' in value && typeof value.toNumber === 'function' ? value.toNumber() : value;
}
