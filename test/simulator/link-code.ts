import { createCipheriv, createDecipheriv, hkdfSync, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Account } from './accounts.ts';
import { nowSeconds } from './accounts.ts';
import { IqError } from './iq-router.ts';
import { type Linked, link, type Registration, ScanRejected } from './registration.ts';
import type { Server } from './server.ts';
import { type BinaryNode, node, requireBytes, requireChild, requireJid } from './wire/binary-node.ts';
import { generateKeyPair, sharedSecret } from './wire/curve25519.ts';
import { SERVER_JID } from './wire/jid.ts';

/** One try to link by code: what the client asked with, and what the phone answered. */
export interface LinkCodeAttempt {
  readonly registration: Registration;
  readonly phone: string;
  readonly ref: Buffer;
  readonly wrappedCompanionKey: Buffer;
  entered?: {
    readonly account: Account;
    readonly shared: Buffer;
    readonly resolve: (linked: Linked) => void;
    readonly reject: (error: Error) => void;
  };
}

const SALT_BYTES = 32;
const IV_BYTES = 16;
const PBKDF2_ROUNDS = 131_072;
const GCM_IV_BYTES = 12;
const GCM_TAG_BYTES = 16;
const FINISH_DEADLINE_MS = 15_000;
/** How long a typed code waits for its client's hello, which may still be on its way. */
const HELLO_DEADLINE_MS = 1000;

/** The latest attempt per phone number. */
export class LinkCodeBook {
  readonly #attempts = new Map<string, LinkCodeAttempt>();
  readonly #waiting = new Map<string, () => void>();

  get(phone: string): LinkCodeAttempt | undefined {
    return this.#attempts.get(phone);
  }

  set(attempt: LinkCodeAttempt): void {
    this.#attempts.set(attempt.phone, attempt);
    this.#waiting.get(attempt.phone)?.();
  }

  delete(phone: string): void {
    this.#attempts.delete(phone);
  }

  /** The attempt for a number, or the first one within `ms`. */
  async next(phone: string, ms: number): Promise<LinkCodeAttempt | undefined> {
    if (!this.#attempts.has(phone)) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#waiting.set(phone, () => {
          clearTimeout(timer);
          resolve();
        });
      });
      this.#waiting.delete(phone);
    }
    return this.#attempts.get(phone);
  }
}

const deriveCodeKey = promisify(pbkdf2);
const hkdf = (secret: Buffer, salt: Buffer, info: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, 32));

/** The client shows a code and waits for the number's phone; a later hello for the same number replaces it. */
export function acceptCompanionHello(
  server: Server,
  registration: Registration,
  hello: BinaryNode,
): readonly BinaryNode[] {
  const attempt: LinkCodeAttempt = {
    registration,
    phone: requireJid(hello, 'jid').user,
    ref: randomBytes(24),
    wrappedCompanionKey: requireBytes(requireChild(hello, 'link_code_pairing_wrapped_companion_ephemeral_pub'), 80),
  };
  server.linkCodes.set(attempt);
  return [
    node('link_code_companion_reg', { stage: 'companion_hello' }, [node('link_code_pairing_ref', {}, attempt.ref)]),
  ];
}

/**
 * The user types the code on the phone. Resolves when the client is linked.
 * @throws ScanRejected when nobody waits for this number, or the code turns out to be wrong.
 */
export async function enterCode(server: Server, account: Account, code: string): Promise<Linked> {
  const attempt = await server.linkCodes.next(account.phone, HELLO_DEADLINE_MS);
  if (!attempt) throw new ScanRejected('no client is waiting for a code of this number');
  const { wrappedCompanionKey: wrapped, registration } = attempt;
  const letters = code.replaceAll('-', '').toUpperCase();
  const key = await codeKey(letters, wrapped.subarray(0, SALT_BYTES));
  const decipher = createDecipheriv('aes-256-ctr', key, wrapped.subarray(SALT_BYTES, SALT_BYTES + IV_BYTES));
  const companionKey = Buffer.concat([decipher.update(wrapped.subarray(SALT_BYTES + IV_BYTES)), decipher.final()]);
  const ephemeral = generateKeyPair();
  const shared = sharedSecret(ephemeral.privateKey, companionKey);
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-ctr', await codeKey(letters, salt), iv);
  const wrappedPrimary = Buffer.concat([salt, iv, cipher.update(ephemeral.publicKey), cipher.final()]);
  return new Promise((resolve, reject) => {
    attempt.entered = { account, shared, resolve, reject };
    server.later(FINISH_DEADLINE_MS, () => reject(new ScanRejected('the client did not finish the pairing')));
    const attrs = {
      from: SERVER_JID,
      type: 'link_code_companion_reg',
      id: server.nextId(),
      t: String(nowSeconds()),
    };
    registration.session.send(
      node('notification', attrs, [
        node('link_code_companion_reg', { stage: 'primary_hello' }, [
          node('link_code_pairing_wrapped_primary_ephemeral_pub', {}, wrappedPrimary),
          node('primary_identity_pub', {}, account.identity.publicKey),
          node('link_code_pairing_ref', {}, attempt.ref),
        ]),
      ]),
    );
  });
}

/** The client's proof that it showed the code the user typed; the device is linked on success. */
export function acceptCompanionFinish(
  server: Server,
  registration: Registration,
  finish: BinaryNode,
): readonly BinaryNode[] | undefined {
  const attempt = server.linkCodes.get(requireJid(finish, 'jid').user);
  const entered = attempt?.entered;
  const ref = requireBytes(requireChild(finish, 'link_code_pairing_ref'));
  if (!attempt || !entered || attempt.registration !== registration || !ref.equals(attempt.ref)) {
    throw new IqError(404, 'item-not-found');
  }
  const bundle = requireBytes(requireChild(finish, 'link_code_pairing_wrapped_key_bundle'));
  const companionIdentity = requireBytes(requireChild(finish, 'companion_identity_public'), 32);
  const { account, shared, resolve, reject } = entered;
  server.linkCodes.delete(attempt.phone);
  const random = openBundle(bundle, shared, companionIdentity, account);
  if (!random || !companionIdentity.equals(registration.identityKey)) {
    reject(new ScanRejected('the code is wrong'));
    throw new IqError(400, 'bad-request');
  }
  const identityShared = sharedSecret(account.identity.privateKey, companionIdentity);
  const advSecret = hkdf(Buffer.concat([shared, identityShared, random]), Buffer.alloc(0), 'adv_secret');
  // The answer to this iq goes out before the pairing does.
  setImmediate(() => void link(server, registration, account, advSecret).then(resolve, reject));
  return undefined;
}

function openBundle(bundle: Buffer, shared: Buffer, companionIdentity: Buffer, account: Account): Buffer | undefined {
  const salt = bundle.subarray(0, SALT_BYTES);
  const iv = bundle.subarray(SALT_BYTES, SALT_BYTES + GCM_IV_BYTES);
  const key = hkdf(shared, salt, 'link_code_pairing_key_bundle_encryption_key');
  const decipher = createDecipheriv('aes-256-gcm', key, iv);
  decipher.setAuthTag(bundle.subarray(-GCM_TAG_BYTES));
  let plaintext: Buffer;
  try {
    const sealed = bundle.subarray(SALT_BYTES + GCM_IV_BYTES, -GCM_TAG_BYTES);
    plaintext = Buffer.concat([decipher.update(sealed), decipher.final()]);
  } catch {
    return undefined;
  }
  const expected = Buffer.concat([companionIdentity, account.identity.publicKey]);
  return plaintext.length === 96 && plaintext.subarray(0, 64).equals(expected) ? plaintext.subarray(64) : undefined;
}

const codeKey = (code: string, salt: Buffer): Promise<Buffer> => deriveCodeKey(code, salt, PBKDF2_ROUNDS, 32, 'sha256');
