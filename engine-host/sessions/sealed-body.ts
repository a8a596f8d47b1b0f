import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { DataKeyProvider } from '#shared/ports/data-keys.ts';
import type { JournalSession } from '#shared/ports/journal-store.ts';
import { CorruptStateError } from './corrupt-state-error.ts';

/** Where a body belongs. It can be opened only as what it is and where it is. */
export interface BodyPlace {
  readonly kind: 'changes' | 'seal' | 'checkpoint';
  readonly session: JournalSession;
  readonly lsn: number;
  readonly epoch: number;
}

/*
 * Form: version (1 byte), length of the key's id (1), id, nonce (12), tag (16), AES-256-GCM over zstd. The header up to
 * the id and the place are authenticated with it.
 */
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Above this the work goes to another thread; below, the way there would cost more. */
const SMALL_BYTES = 32 * 1024;
/** Far above any session's state; stops a body that was made to fill the memory. */
const MAX_BYTES = 512 * 1024 * 1024;
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Compresses and encrypts. @throws what the key provider throws */
export async function sealBody(content: Uint8Array, place: BodyPlace, keys: DataKeyProvider): Promise<Uint8Array> {
  const packed = content.length <= SMALL_BYTES ? zstdCompressSync(content, LEVEL) : await compress(content, LEVEL);
  const { id, key } = await keys.current(place.session);
  const header = Buffer.concat([Buffer.of(VERSION, id.length), id]);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(authenticated(header, place));
  const encrypted = Buffer.concat([cipher.update(packed), cipher.final()]);
  return Buffer.concat([header, nonce, cipher.getAuthTag(), encrypted]);
}

/**
 * @throws CorruptStateError when the body was changed, cut or moved; NotFoundError when its key is not to be had
 */
export async function openBody(body: Uint8Array, place: BodyPlace, keys: DataKeyProvider): Promise<Uint8Array> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const [version, idLength = 0] = bytes;
  if (version !== VERSION) throw new CorruptStateError(`A ${place.kind} body has version ${version}, not ${VERSION}`);
  const header = bytes.subarray(0, 2 + idLength);
  const nonceEnd = header.length + NONCE_BYTES;
  if (bytes.length < nonceEnd + TAG_BYTES) throw new CorruptStateError(`A ${place.kind} body is cut short`);
  const key = await keys.find(place.session, header.subarray(2));
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(header.length, nonceEnd), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(authenticated(header, place)).setAuthTag(bytes.subarray(nonceEnd, nonceEnd + TAG_BYTES));
    const packed = Buffer.concat([decipher.update(bytes.subarray(nonceEnd + TAG_BYTES)), decipher.final()]);
    const limit = { maxOutputLength: MAX_BYTES };
    return packed.length <= SMALL_BYTES ? zstdDecompressSync(packed, limit) : await decompress(packed, limit);
  } catch (cause) {
    throw new CorruptStateError(`A ${place.kind} body is not what was stored there`, { cause });
  }
}

function authenticated(header: Uint8Array, { kind, session, lsn, epoch }: BodyPlace): Uint8Array {
  const place = `${kind}|${session.name}#${session.incarnation}|${lsn}|${epoch}`;
  return Buffer.concat([header, Buffer.from(place)]);
}
