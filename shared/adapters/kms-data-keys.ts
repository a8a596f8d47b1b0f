import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { DependencyError, NotFoundError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { DataKey, DataKeyProvider } from '../ports/data-keys.ts';
import type { JournalSession } from '../ports/journal-store.ts';
import { awsErrorName, dependencyError } from './aws-errors.ts';
import type { DynamoDbWrappedKeyStore, WrappedKey } from './dynamodb-wrapped-key-store.ts';
import { ExpiringEntries } from './expiring-entries.ts';

export interface KmsDataKeysOptions {
  readonly kms: KMSClient;
  /** Id, ARN or alias of a symmetric key. */
  readonly keyId: string;
  readonly wrappedKeys: DynamoDbWrappedKeyStore;
  readonly clock: Clock;
  /** Data keys that are in memory at once, of all sessions. @default 2000 */
  readonly mostCached?: number;
}

const KEY_BYTES = 32;
const ID_BYTES = 4;
/** A key that was revoked in KMS opens nothing on any host after this time. */
const CACHED_MS = 3_600_000;
const MOST_CACHED = 2_000;
/**
 * Random nonces of 96 bits are safe for 2^32 bodies under one key. A session's journal takes about 1,000 a second (a
 * partition's limit): in a week less than 2^30.
 */
const RENEWED_AFTER_MS = 7 * 86_400_000;

/**
 * Data keys from KMS, a session's own. Each is stored once, wrapped, before it is used; its id in the bodies is its
 * number. KMS unwraps a key only when it is told the session that the key was made for.
 */
export class KmsDataKeys implements DataKeyProvider {
  readonly #options: KmsDataKeysOptions;
  /** By session. */
  readonly #newest: ExpiringEntries<WrappedKey>;
  /** By session and number. */
  readonly #plain: ExpiringEntries<Uint8Array>;

  constructor(options: KmsDataKeysOptions) {
    this.#options = options;
    const most = options.mostCached ?? MOST_CACHED;
    this.#newest = new ExpiringEntries(options.clock, CACHED_MS, most);
    this.#plain = new ExpiringEntries(options.clock, CACHED_MS, most);
  }

  async current(session: JournalSession): Promise<DataKey> {
    const newest = await this.#newest.get(nameOf(session), () => this.#newestOrNew(session));
    return { id: idOf(newest.number), key: await this.#open(session, newest) };
  }

  async find(session: JournalSession, id: Uint8Array): Promise<Uint8Array> {
    const number = numberOf(id);
    return await this.#plain.get(nameOf(session, number), async () => {
      const stored = await this.#options.wrappedKeys.get(session, number);
      if (stored === undefined) throw new NotFoundError('The data key that the state was encrypted under is deleted');
      return await this.#unwrap(session, stored);
    });
  }

  async forget(session: JournalSession): Promise<void> {
    await this.#options.wrappedKeys.clear(session);
    this.#newest.forget(nameOf(session));
    this.#plain.forget(nameOf(session));
  }

  async #open(session: JournalSession, stored: WrappedKey): Promise<Uint8Array> {
    return await this.#plain.get(nameOf(session, stored.number), () => this.#unwrap(session, stored));
  }

  /** The session's newest key, or one more when that is too old. Of two owners who add one, both use the first. */
  async #newestOrNew(session: JournalSession): Promise<WrappedKey> {
    const { clock, wrappedKeys } = this.#options;
    for (;;) {
      const newest = await wrappedKeys.newest(session);
      if (newest !== undefined && clock.now() - newest.createdAt < RENEWED_AFTER_MS) return newest;
      const { key, wrapped } = await this.#generate(session);
      const added = { number: (newest?.number ?? 0) + 1, wrapped, createdAt: clock.now() };
      if (!(await wrappedKeys.add(session, added))) continue;
      await this.#plain.get(nameOf(session, added.number), async () => key);
      return added;
    }
  }

  async #generate(session: JournalSession): Promise<{ readonly key: Uint8Array; readonly wrapped: Uint8Array }> {
    const { kms, keyId } = this.#options;
    const command = new GenerateDataKeyCommand({
      KeyId: keyId,
      KeySpec: 'AES_256',
      EncryptionContext: encryptionContext(session),
    });
    const { Plaintext, CiphertextBlob } = await kms.send(command).catch((error: unknown) => {
      throw dependencyError('KMS GenerateDataKey', error);
    });
    if (CiphertextBlob === undefined) throw new DependencyError('KMS GenerateDataKey answered without a wrapped key');
    return { key: dataKey(Plaintext), wrapped: CiphertextBlob };
  }

  async #unwrap(session: JournalSession, { wrapped }: WrappedKey): Promise<Uint8Array> {
    const { kms, keyId } = this.#options;
    const command = new DecryptCommand({
      KeyId: keyId,
      CiphertextBlob: wrapped,
      EncryptionContext: encryptionContext(session),
    });
    const { Plaintext } = await kms.send(command).catch((error: unknown) => {
      const name = awsErrorName(error);
      if (name === 'IncorrectKeyException')
        throw new NotFoundError('The state was encrypted under another KMS key than the one in STATE_KMS_KEY_ID');
      if (name === 'InvalidCiphertextException')
        throw new NotFoundError('The data key that the state was encrypted under is not the one that was stored');
      throw dependencyError('KMS Decrypt', error);
    });
    return dataKey(Plaintext);
  }
}

function encryptionContext({ name, incarnation }: JournalSession): Record<string, string> {
  return { session: `${name}#${incarnation}` };
}

function dataKey(plain: Uint8Array | undefined): Uint8Array {
  if (plain?.length !== KEY_BYTES) throw new DependencyError(`KMS answered without a key of ${KEY_BYTES} bytes`);
  return plain;
}

function nameOf({ name, incarnation }: JournalSession, number?: number): string {
  return `${name}#${incarnation}/${number ?? ''}`;
}

function idOf(number: number): Uint8Array {
  const id = Buffer.alloc(ID_BYTES);
  id.writeUInt32BE(number);
  return id;
}

function numberOf(id: Uint8Array): number {
  if (id.length !== ID_BYTES) throw new NotFoundError('The state was not encrypted under a data key of KMS');
  return Buffer.from(id).readUInt32BE();
}
