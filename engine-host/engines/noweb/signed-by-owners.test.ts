import { randomBytes } from 'node:crypto';
import {
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  initAuthCreds,
  type SignalKeyStoreWithTransaction,
  signedKeyPair,
} from '@whiskeysockets/baileys';
import { beforeAll, describe, expect, it } from 'vitest';
import { MemoryAuth } from '#test/simulator/client-under-test.ts';
import { isBundleSigned } from './bundle-signature.ts';
import { verifySignaturesNatively } from './native-signatures.ts';
import { quietLogger } from './quiet-logger.ts';

const GROUP = '120363000000000001@g.us';
const AUTHOR = '4915100000001:1@s.whatsapp.net';

function repository() {
  const auth = new MemoryAuth();
  const keys: SignalKeyStoreWithTransaction = {
    ...auth.keys,
    isInTransaction: () => false,
    transaction: (work) => work(),
  };
  return DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds: initAuthCreds(), keys }, quietLogger);
}

describe('a group message', () => {
  beforeAll(() => verifySignaturesNatively());

  it('is read only with the signature of the one whose key it is', async () => {
    const [author, member] = [repository(), repository()];
    const sent = await author.encryptGroupMessage({ group: GROUP, data: Buffer.from('signed'), meId: AUTHOR });
    const item = { groupId: GROUP, axolotlSenderKeyDistributionMessage: sent.senderKeyDistributionMessage };
    await member.processSenderKeyDistributionMessage({ item, authorJid: AUTHOR });
    const read = (msg: Uint8Array) => member.decryptGroupMessage({ group: GROUP, authorJid: AUTHOR, msg });
    const forged = Buffer.concat([sent.ciphertext.subarray(0, -64), randomBytes(64)]);
    await expect(read(forged)).rejects.toThrow('Invalid signature');
    expect(Buffer.from(await read(sent.ciphertext)).toString()).toBe('signed');
  });
});

describe('a bundle of keys', () => {
  const identity = Curve.generateKeyPair();
  const typed = (key: Uint8Array) => Buffer.concat([Buffer.of(5), key]);
  const bundleOf = (signer: typeof identity) => {
    const { keyPair, signature, keyId } = signedKeyPair(signer, 1);
    const signedPreKey = { keyId, publicKey: typed(keyPair.public), signature };
    return { registrationId: 1, identityKey: typed(identity.public), signedPreKey };
  };

  it('is signed by its owner or by nobody', () => {
    expect(isBundleSigned(bundleOf(identity))).toBe(true);
    expect(isBundleSigned(bundleOf(Curve.generateKeyPair()))).toBe(false);
    const bundle = bundleOf(identity);
    const cut = { ...bundle.signedPreKey, signature: bundle.signedPreKey.signature.subarray(1) };
    expect(isBundleSigned({ ...bundle, signedPreKey: cut })).toBe(false);
    const { signature: _, ...unsigned } = bundle.signedPreKey;
    // As a stanza without one is handed over.
    expect(isBundleSigned({ ...bundle, signedPreKey: unsigned as typeof bundle.signedPreKey })).toBe(false);
  });
});
