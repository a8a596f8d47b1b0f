import { createDecipheriv, createHash, createPrivateKey, createPublicKey, diffieHellman, hkdfSync } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';

const PROTOCOL = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0');
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const NOTHING = Buffer.alloc(0);
const PRIVATE_KEY_DER = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_KEY_DER = Buffer.from('302a300506032b656e032100', 'hex');
const HEADER_BYTES = 4;
const LENGTH_BYTES = 3;
const ROUTING_MAGIC = Buffer.from([0x45, 0x44, 0, 1]);

/** A client's first bytes on a connection, as they were sent. */
export interface ClientHello {
  /** "WA", version, dictionary: both sides mix it into everything that follows. */
  readonly header: Uint8Array;
  readonly ephemeral: Uint8Array;
}

/** What a server says about itself in the handshake; that it could be decrypted proves that it holds `serverKey`. */
export interface ServerClaim {
  readonly serverKey: Uint8Array;
  /** Encoded CertChain. */
  readonly chain: Uint8Array;
}

/** Reads a client's first bytes. @throws Error when they begin no Noise_XX handshake of this protocol */
export function readClientHello(bytes: Uint8Array): ClientHello {
  const sent = Buffer.from(bytes);
  const routed = sent.subarray(0, ROUTING_MAGIC.length).equals(ROUTING_MAGIC);
  const start = routed ? ROUTING_MAGIC.length + LENGTH_BYTES + sent.readUIntBE(ROUTING_MAGIC.length, LENGTH_BYTES) : 0;
  const header = sent.subarray(start, start + HEADER_BYTES);
  const { clientHello } = proto.HandshakeMessage.decode(sent.subarray(start + HEADER_BYTES + LENGTH_BYTES));
  const { ephemeral, static: resumedKey, payload } = clientHello ?? {};
  if (ephemeral?.length !== KEY_BYTES) throw new Error('the client hello has no ephemeral key');
  // Noise_IK says who the client is before the server has proved anything.
  if (resumedKey?.length || payload?.length) throw new Error('the client hello says more than an ephemeral key');
  return { header, ephemeral };
}

/**
 * Decrypts a server's answer as the client with this ephemeral key does (Noise_XX up to the second message).
 * @throws Error when it is malformed, or was not made for this hello by the owner of the key in it
 */
export function openServerHello(frame: Uint8Array, hello: ClientHello, ephemeralPrivate: Uint8Array): ServerClaim {
  const { serverHello } = proto.HandshakeMessage.decode(frame);
  const { ephemeral, static: sealedKey, payload } = serverHello ?? {};
  if (!ephemeral || !sealedKey || !payload) throw new Error('the server hello is incomplete');
  let hash: Buffer = PROTOCOL;
  let salt: Buffer = PROTOCOL;
  let key: Buffer = PROTOCOL;
  const mixHash = (data: Uint8Array): void => {
    hash = createHash('sha256').update(hash).update(data).digest();
  };
  const mixKey = (publicKey: Uint8Array): void => {
    const derived = Buffer.from(hkdfSync('sha256', agree(ephemeralPrivate, publicKey), salt, NOTHING, 2 * KEY_BYTES));
    salt = derived.subarray(0, KEY_BYTES);
    key = derived.subarray(KEY_BYTES);
  };
  const open = (sealed: Uint8Array): Buffer => {
    const plain = decrypt(key, hash, sealed);
    mixHash(sealed);
    return plain;
  };
  mixHash(hello.header);
  mixHash(hello.ephemeral);
  mixHash(ephemeral);
  mixKey(ephemeral);
  const serverKey = open(sealedKey);
  mixKey(serverKey);
  return { serverKey, chain: open(payload) };
}

/** The first message under a key, which is the only one that each key of this half of the handshake encrypts. */
function decrypt(key: Buffer, associated: Buffer, sealed: Uint8Array): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.alloc(12), { authTagLength: TAG_BYTES });
  decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
}

function agree(privateKey: Uint8Array, publicKey: Uint8Array): Buffer {
  return diffieHellman({
    privateKey: createPrivateKey({ key: Buffer.concat([PRIVATE_KEY_DER, privateKey]), format: 'der', type: 'pkcs8' }),
    publicKey: createPublicKey({ key: Buffer.concat([PUBLIC_KEY_DER, publicKey]), format: 'der', type: 'spki' }),
  });
}
