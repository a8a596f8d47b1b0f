/** What the Signal library calls to verify a signature, and where it looks it up at each call. */
interface SignatureLibrary {
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}
declare const exported: { readonly library: SignatureLibrary };
export = exported;
