import type { SignalRepositoryWithLIDStore } from '@whiskeysockets/baileys';
import { isSignedBy } from './native-signatures.ts';

type Bundle = Parameters<SignalRepositoryWithLIDStore['injectE2ESession']>[0]['session'];

const NOTHING = new Uint8Array();

/**
 * Whether the owner of a bundle's identity key has signed its signed pre-key. The Signal library calls its own check in a
 * way that says yes to everything.
 */
export function isBundleSigned({ identityKey, signedPreKey }: Bundle): boolean {
  // Both keys have their type byte in front; it is part of what is signed. Stanzas may lack what the types promise.
  const signature: Uint8Array | undefined = signedPreKey?.signature;
  return isSignedBy(identityKey.subarray(1), signedPreKey?.publicKey ?? NOTHING, signature ?? NOTHING);
}
