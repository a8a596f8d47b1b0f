import {
  type BaileysEventMap,
  type BinaryNode,
  decryptMediaRetryData,
  encryptMediaRetryRequest,
  proto,
  type WAMessageKey,
} from '@whiskeysockets/baileys';

/** What became of a file that WhatsApp has dropped and the owner's phone was asked for. */
export type Reupload =
  | { readonly kind: 'uploaded'; readonly directPath: string }
  /** The phone does not have it any more either. */
  | { readonly kind: 'missing' }
  /** It could not or would not. */
  | { readonly kind: 'refused' }
  /** No answer in time: it is off, or has no connection. */
  | { readonly kind: 'silent' };

export interface ReuploadPorts {
  /** Sends a stanza, or rejects when there is no connection. */
  send(stanza: BinaryNode): Promise<void>;
  /** The account's own JID. */
  ownJid(): string | undefined;
  /** Milliseconds that only grow. */
  now(): number;
}

export interface WantedMedia {
  readonly key: WAMessageKey;
  readonly mediaKey: Uint8Array;
  /** Until when whoever wants it can wait at all. */
  readonly timeoutMs: number;
  readonly patience: Patience;
}

/** How much waiting for a phone is worth, in milliseconds. */
export interface Patience {
  /** For an answer, if there is so much time. */
  readonly answerMs: number;
  /** A phone that has not answered is not asked again for so long. */
  readonly restMs: number;
}

/** Each message of a backlog whose media is gone would be held up by a phone that is off. */
export const ON_ARRIVAL: Patience = { answerMs: 60_000, restMs: 5 * 60_000 };
/** The session's other commands wait behind it; and the client hears why, before the API stops waiting. */
export const ON_DEMAND: Patience = { answerMs: 15_000, restMs: 30_000 };

interface Asked {
  readonly id: string;
  readonly key: WAMessageKey;
  readonly mediaKey: Uint8Array;
  sent: boolean;
  settle(reupload: Reupload): void;
}

type Updates = BaileysEventMap['messages.media-update'];

/** Their senders decide how many messages name media that is not there. */
const MOST_ASKED = 32;
const NOT_FOUND = 404;
const SILENT: Reupload = { kind: 'silent' };
const REFUSED: Reupload = { kind: 'refused' };
const { ResultType } = proto.MediaRetryNotification;

/**
 * Asks the owner's phone for media that WhatsApp does not have any more. What waits for an answer is asked again on every
 * new connection. (Baileys' own way has no end when the phone is off, and hears of answers late while it buffers.)
 */
export class MediaReuploads {
  readonly #ports: ReuploadPorts;
  readonly #asked = new Set<Asked>();
  /** When it turned out that the phone does not answer. */
  #silentAt = Number.NEGATIVE_INFINITY;

  constructor(ports: ReuploadPorts) {
    this.#ports = ports;
  }

  ask({ key, mediaKey, timeoutMs, patience }: WantedMedia): Promise<Reupload> {
    const { id } = key;
    const isSilent = this.#ports.now() < this.#silentAt + patience.restMs;
    if (!id || isSilent || this.#asked.size >= MOST_ASKED) return Promise.resolve(SILENT);
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => {
          if (asked.sent) this.#silentAt = this.#ports.now();
          asked.settle(SILENT);
        },
        Math.min(timeoutMs, patience.answerMs),
      );
      const asked: Asked = {
        id,
        key,
        mediaKey,
        sent: false,
        settle: (reupload) => {
          clearTimeout(timer);
          this.#asked.delete(asked);
          resolve(reupload);
        },
      };
      this.#asked.add(asked);
      void this.#send(asked);
    });
  }

  /** There is a new connection. */
  opened(): void {
    for (const asked of this.#asked) void this.#send(asked);
  }

  /** What Baileys tells of the phone's answers. */
  answered(updates: Updates): void {
    this.#silentAt = Number.NEGATIVE_INFINITY;
    for (const update of updates) {
      for (const asked of this.#asked) {
        const reupload = asked.id === update.key.id ? read(update, asked) : undefined;
        if (reupload) asked.settle(reupload);
      }
    }
  }

  async #send(asked: Asked): Promise<void> {
    const own = this.#ports.ownJid();
    if (own === undefined) return;
    try {
      await this.#ports.send(encryptMediaRetryRequest(asked.key, Buffer.from(asked.mediaKey), own));
      asked.sent = true;
    } catch {
      // No connection: the next one asks again, and who waits is answered when the time is over.
    }
  }
}

/** @returns undefined for an answer about another message with the same id */
function read({ media, error, key }: Updates[number], asked: Asked): Reupload | undefined {
  if (!media) return error?.output.statusCode === NOT_FOUND ? { kind: 'missing' } : REFUSED;
  try {
    const { result, directPath } = decryptMediaRetryData(media, asked.mediaKey, key.id ?? '');
    if (result === ResultType.NOT_FOUND) return { kind: 'missing' };
    return result === ResultType.SUCCESS && directPath ? { kind: 'uploaded', directPath } : REFUSED;
  } catch {
    return undefined;
  }
}
