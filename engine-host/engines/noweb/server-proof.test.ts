import { Curve, type KeyPair, proto } from '@whiskeysockets/baileys';
import { describe, expect, it, vi } from 'vitest';
import { CONNECTION_HEADER, encodeFrame } from '#test/simulator/wire/frames.ts';
import { answerClientHello } from '#test/simulator/wire/noise-handshake.ts';
import { createServerIdentity } from '#test/simulator/wire/server-identity.ts';
import { ServerProof } from './server-proof.ts';

const server = createServerIdentity();
const FINISH = Uint8Array.of(0, 0, 1, 1);

function setUp(now = Date.now()) {
  const keys = Curve.generateKeyPair();
  const refused = vi.fn();
  const settings = { rootKey: server.rootPublicKey, now: () => now };
  const proof = new ServerProof([Curve.generateKeyPair(), keys], settings, refused);
  return { proof, keys, refused, reason: () => refused.mock.calls[0]?.[0].reason };
}

function helloOf(
  { public: ephemeral }: Pick<KeyPair, 'public'>,
  more: proto.HandshakeMessage.IClientHello = {},
): Buffer {
  return Buffer.from(proto.HandshakeMessage.encode({ clientHello: { ephemeral, ...more } }).finish());
}

const onWire = (hello: Buffer, before: Buffer = Buffer.alloc(0)) =>
  Buffer.concat([before, CONNECTION_HEADER, encodeFrame(hello)]);

describe('the proof of a server', () => {
  it('lets the hello leave at once, and the rest when the server has answered it', () => {
    const { proof, keys, refused } = setUp();
    const hello = helloOf(keys);
    expect(proof.lets(onWire(hello))).toBe(true);
    proof.heard(answerClientHello(hello, server).serverHello);
    expect(proof.lets(FINISH)).toBe(true);
    expect(refused).not.toHaveBeenCalled();
  });

  it('finds the hello behind routing information', () => {
    const { proof, keys } = setUp();
    const hello = helloOf(keys);
    const routing = Buffer.concat([Buffer.from([0x45, 0x44, 0, 1]), encodeFrame(Buffer.from('edge'))]);
    expect(proof.lets(onWire(hello, routing))).toBe(true);
    proof.heard(answerClientHello(hello, server).serverHello);
    expect(proof.lets(FINISH)).toBe(true);
  });

  it('lets nothing leave before it, and nothing after that', () => {
    const { proof, keys, refused } = setUp();
    const hello = helloOf(keys);
    proof.lets(onWire(hello));
    expect(proof.lets(FINISH)).toBe(false);
    proof.heard(answerClientHello(hello, server).serverHello);
    expect(proof.lets(FINISH)).toBe(false);
    expect(refused).toHaveBeenCalledTimes(1);
  });

  it('is needed for each hello: an answer to another is none', () => {
    const { proof, keys, reason } = setUp();
    proof.lets(onWire(helloOf(keys)));
    proof.heard(answerClientHello(helloOf(Curve.generateKeyPair()), server).serverHello);
    expect({ lets: proof.lets(FINISH), reason: reason() }).toEqual({ lets: false, reason: 'server-identity' });
  });

  it.each(['ephemeral', 'static', 'payload'] as const)('cannot be given with a bit changed in its %s', (field) => {
    for (let at = 0; at < 32; at += 1) {
      const { proof, keys, refused } = setUp();
      const hello = helloOf(keys);
      proof.lets(onWire(hello));
      const { serverHello } = proto.HandshakeMessage.decode(answerClientHello(hello, server).serverHello);
      const bytes = Buffer.from(serverHello?.[field] ?? []);
      bytes[at] = (bytes[at] ?? 0) ^ 0x80;
      proof.heard(proto.HandshakeMessage.encode({ serverHello: { ...serverHello, [field]: bytes } }).finish());
      expect({ lets: proof.lets(FINISH), refused: refused.mock.calls.length }).toEqual({ lets: false, refused: 1 });
    }
  });

  it('is refused for a key that is not ours, and for a hello that says who we are', () => {
    const stranger = setUp();
    expect(stranger.proof.lets(onWire(helloOf(Curve.generateKeyPair())))).toBe(false);
    expect(stranger.reason()).toBe('server-identity');
    const resuming = setUp();
    const hello = helloOf(resuming.keys, { static: Buffer.alloc(48), payload: Buffer.alloc(48) });
    expect(resuming.proof.lets(onWire(hello))).toBe(false);
    expect(resuming.reason()).toBe('server-identity');
  });

  it('is a matter of the clock only where all else is right', () => {
    const { proof, keys, reason } = setUp(Date.now() + 1_000 * 24 * 60 * 60 * 1_000);
    const hello = helloOf(keys);
    proof.lets(onWire(hello));
    proof.heard(answerClientHello(hello, server).serverHello);
    expect({ lets: proof.lets(FINISH), reason: reason() }).toEqual({ lets: false, reason: 'server-identity-clock' });
  });
});
