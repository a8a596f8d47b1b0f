import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CorruptStateError, decodeState, encodeState } from './state-codec.ts';

const states = fc
  .array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 300 })), { maxLength: 30 })
  .map((entries) => new Map(entries));

describe('state codec', () => {
  it('gives back what it was given', async () => {
    await fc.assert(
      fc.asyncProperty(states, async (state) => {
        expect(await decodeState(await encodeState(state))).toEqual(state);
      }),
    );
  });

  it('takes the state as it is at the call', async () => {
    const value = Uint8Array.of(1);
    const state = new Map([['a', value]]);
    const encoded = encodeState(state);
    state.set('b', Uint8Array.of(2));
    value[0] = 9;
    expect(await decodeState(await encoded)).toEqual(new Map([['a', Uint8Array.of(1)]]));
  });

  it('reads an object that lies anywhere in a buffer', async () => {
    const encoded = await encodeState(new Map([['a', Uint8Array.of(1)]]));
    const around = Buffer.concat([Buffer.from('xx'), encoded, Buffer.from('yy')]);
    expect(await decodeState(around.subarray(2, 2 + encoded.length))).toEqual(new Map([['a', Uint8Array.of(1)]]));
  });

  it('refuses an object in which any byte is wrong, or that is cut short', async () => {
    const encoded = await encodeState(new Map([['creds', Uint8Array.from({ length: 64 }, (_, index) => index)]]));
    for (let index = 0; index < encoded.length; index += 1) {
      const damaged = Uint8Array.from(encoded);
      damaged[index] = (damaged[index] ?? 0) ^ 0x40;
      await expect(decodeState(damaged)).rejects.toThrow(CorruptStateError);
      await expect(decodeState(encoded.subarray(0, index))).rejects.toThrow(CorruptStateError);
    }
  });
});
