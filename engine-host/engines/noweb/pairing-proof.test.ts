import { randomBytes } from 'node:crypto';
import { type BinaryNode, Curve } from '@whiskeysockets/baileys';
import { describe, expect, it, test } from 'vitest';
import { type DeviceIdentityRequest, makeDeviceIdentity } from '#test/simulator/device-identity.ts';
import { generateKeyPair } from '#test/simulator/wire/curve25519.ts';
import { checkPairing } from './pairing-proof.ts';

const advSecret = randomBytes(32);
const creds = { advSecretKey: advSecret.toString('base64'), signedIdentityKey: Curve.generateKeyPair() };

function pairSuccess(request: Partial<DeviceIdentityRequest> = {}): BinaryNode {
  const { body } = makeDeviceIdentity({
    registrationId: 1,
    keyIndex: 1,
    identityKey: Buffer.from(creds.signedIdentityKey.public),
    accountKeys: generateKeyPair(),
    advSecret,
    ...request,
  });
  return stanza([{ tag: 'device-identity', attrs: {}, content: body }]);
}

function stanza(content: BinaryNode[]): BinaryNode {
  return { tag: 'iq', attrs: { id: '1' }, content: [{ tag: 'pair-success', attrs: {}, content }] };
}

describe('a pairing', () => {
  test.each([
    ['an account of its own', { account: false, device: false }],
    ['a hosted account', { account: true, device: false }],
    ['a hosted device', { account: false, device: true }],
    ['a hosted device of a hosted account', { account: true, device: true }],
  ])('with %s is proved, and without the secret or the signature it is not', (_, hosted) => {
    expect(checkPairing(pairSuccess({ hosted }), creds)).toEqual({ proven: true });
    expect(checkPairing(pairSuccess({ hosted, flaw: 'hmac' }), creds)).toMatchObject({ proven: false });
    expect(checkPairing(pairSuccess({ hosted, flaw: 'signature' }), creds)).toMatchObject({ proven: false });
  });

  it('says what is wrong with it', () => {
    const why = (flaw: DeviceIdentityRequest['flaw']) => checkPairing(pairSuccess({ flaw }), creds);
    expect(why('hmac')).toMatchObject({ reason: 'pairing-unproven', message: expect.stringMatching(/secret/) });
    expect(why('signature')).toMatchObject({ message: expect.stringMatching(/signed with the account's key/) });
    expect(why('client')).toMatchObject({ message: expect.stringMatching(/signed with the account's key/) });
    expect(why('unreadable')).toMatchObject({ message: expect.stringMatching(/read/) });
  });

  it('without an identity is not proved', () => {
    expect(checkPairing(stanza([]), creds)).toMatchObject({ proven: false });
    const empty = { tag: 'device-identity', attrs: {}, content: new Uint8Array() };
    expect(checkPairing(stanza([empty]), creds)).toMatchObject({ proven: false });
  });
});
