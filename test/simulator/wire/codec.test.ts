import { deflateSync } from 'node:zlib';
import { type BinaryNode as BaileysNode, decodeBinaryNode, encodeBinaryNode } from '@whiskeysockets/baileys';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AttrValue, type BinaryNode, node, requireBytes } from './binary-node.ts';
import { decodeNode, encodeNode } from './codec.ts';
import { formatJid, jid, SERVER_JID } from './jid.ts';
import { TOKEN_BYTES } from './tokens.ts';
import { WireError } from './wire-error.ts';

const token = fc.constantFrom(...TOKEN_BYTES.keys());
const nibbles = fc.string({ unit: fc.constantFrom(...'0123456789-.'), minLength: 1, maxLength: 140 });
const hex = fc.string({ unit: fc.constantFrom(...'0123456789ABCDEF'), minLength: 1, maxLength: 140 });
const text = fc.oneof(token, nibbles, hex, fc.string({ unit: 'binary', maxLength: 300 }));
const user = fc.oneof(fc.stringMatching(/^[0-9]{1,15}$/), fc.constant('status'));
const address = fc.oneof(
  fc.constant(SERVER_JID),
  fc
    .tuple(user, fc.constantFrom('s.whatsapp.net', 'lid', 'g.us', 'broadcast', 'newsletter'))
    .map(([u, s]) => jid(u, s)),
  fc
    .tuple(user, fc.constantFrom('s.whatsapp.net', 'lid', 'hosted', 'hosted.lid'), fc.integer({ min: 1, max: 255 }))
    .map(([u, s, d]) => jid(u, s, d)),
);
const foreignDevice = fc.oneof(
  fc.tuple(user, fc.integer({ min: 1, max: 0xffff })).map(([u, d]) => jid(u, 'msgr', d)),
  fc
    .tuple(fc.nat(0xffff), user, fc.integer({ min: 1, max: 0xffff }))
    .map(([i, u, d]) => jid(`${i}-${u}`, 'interop', d)),
);
const content = fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array));

function nodes(name: fc.Arbitrary<string>, value: fc.Arbitrary<AttrValue>): fc.Arbitrary<BinaryNode> {
  const attrs = fc.array(fc.tuple(name, value), { maxLength: 5 }).map((entries) => Object.fromEntries(entries));
  return fc.letrec<{ tree: BinaryNode }>((tie) => ({
    tree: fc
      .tuple(
        name,
        attrs,
        fc.oneof({ depthSize: 'small' }, fc.constant(undefined), content, fc.array(tie('tree'), { maxLength: 4 })),
      )
      .map(([tag, attributes, inside]) => node(tag, attributes, inside)),
  })).tree;
}

/** The same node the way Baileys writes it down. */
function inBaileysNotation({ tag, attrs, content: inside }: BinaryNode): BaileysNode {
  const entries = Object.entries(attrs).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : formatJid(value),
  ]);
  const bare = { tag, attrs: Object.fromEntries(entries) };
  if (inside === undefined) return bare;
  return { ...bare, content: Buffer.isBuffer(inside) ? inside : inside.map(inBaileysNotation) };
}

async function contentByBaileys(frame: Buffer): Promise<Uint8Array> {
  const { content: inside } = await decodeBinaryNode(frame);
  if (!(inside instanceof Uint8Array)) throw new TypeError('Baileys found no bytes');
  return inside;
}

// Baileys takes every text with an @ for an address and looks tokens and attributes up on plain objects.
const forBaileys = (value: string) => !value.includes('@') && !(value in {});
const plainName = text.filter((value) => value !== '' && forBaileys(value));

describe('the codec', () => {
  it('reads back every node it writes', () => {
    const name = text.filter((value) => value !== '');
    fc.assert(
      fc.property(nodes(name, fc.oneof(text, address, foreignDevice)), (tree) => {
        expect(decodeNode(encodeNode(tree))).toStrictEqual(tree);
      }),
    );
  });

  it('writes what Baileys reads', async () => {
    await fc.assert(
      fc.asyncProperty(nodes(plainName, fc.oneof(text, address)), async (tree) => {
        expect(await decodeBinaryNode(encodeNode(tree))).toEqual(inBaileysNotation(tree));
      }),
    );
  });

  it('reads what Baileys writes', () => {
    fc.assert(
      fc.property(nodes(plainName, fc.oneof(text.filter(forBaileys), address)), (tree) => {
        expect(decodeNode(encodeBinaryNode(inBaileysNotation(tree)))).toStrictEqual(tree);
      }),
    );
  });

  it('knows all tokens, each by its shortest form', () => {
    expect(TOKEN_BYTES.size).toBe(235 + 4 * 256);
    for (const [word, expected] of TOKEN_BYTES) {
      const frame = encodeNode(node(word));
      expect([...frame.subarray(3)]).toStrictEqual(expected);
      expect(decodeNode(frame).tag).toBe(word);
    }
  });

  it.each([0, 255, 256, 0xfffff, 0x100000])('carries content of %i bytes', async (size) => {
    const tree = node('enc', {}, Buffer.alloc(size, 7));
    const frame = encodeNode(tree);
    expect(requireBytes(decodeNode(frame)).equals(requireBytes(tree))).toBe(true);
    expect(requireBytes(tree).equals(await contentByBaileys(frame))).toBe(true);
  });

  it.each([
    ['digits', '1'.repeat(127), 255],
    ['too many digits', '1'.repeat(128), 252],
    ['hex', 'A'.repeat(127), 251],
    ['too much hex', 'A'.repeat(128), 252],
    ['lower case hex', 'beef0', 252],
  ])('packs text as clients do: %s', (_, id, tag) => {
    const frame = encodeNode(node('ack', { id }));
    expect(frame[5]).toBe(tag);
    expect(decodeNode(frame).attrs).toStrictEqual({ id });
  });

  it('carries more than 255 children', async () => {
    const tree = node(
      'list',
      {},
      Array.from({ length: 300 }, (_, at) => node('item', { id: `${at}` })),
    );
    const frame = encodeNode(tree);
    expect(decodeNode(frame)).toStrictEqual(tree);
    expect(await decodeBinaryNode(frame)).toEqual(inBaileysNotation(tree));
  });

  it('reads compressed frames', () => {
    const tree = node('iq', { from: SERVER_JID, id: '12' }, [node('ping')]);
    const compressed = Buffer.concat([Buffer.of(2), deflateSync(encodeNode(tree).subarray(1))]);
    expect(decodeNode(compressed)).toStrictEqual(tree);
  });

  it('hands out content that was sent as text as bytes', () => {
    const sent = encodeBinaryNode({
      tag: 'list',
      attrs: {},
      content: [
        { tag: 'a', attrs: {}, content: 'result' },
        { tag: 'b', attrs: {}, content: '0123' },
        { tag: 'c', attrs: {}, content: '49151:1@lid' },
      ],
    });
    const expected = [
      ['a', 'result'],
      ['b', '0123'],
      ['c', '49151:1@lid'],
    ] as const;
    expect(decodeNode(sent).content).toStrictEqual(expected.map(([tag, inside]) => node(tag, {}, Buffer.from(inside))));
  });
});

describe('the decoder refuses', () => {
  it.each<[string, number[]]>([
    ['a frame is empty', []],
    ['unknown frame flags 1', [1, 248, 1, 2]],
    ['cannot be inflated', [2, 248, 1, 2]],
    ['1 bytes follow the node', [0, 248, 1, 2, 0]],
    ['2 bytes announced, 1 left', [0, 248, 2, 4, 252, 2, 1]],
    ['a node is an empty list', [0, 0]],
    ['expected a list, found tag 4', [0, 4]],
    ['a node has no tag', [0, 248, 1, 0]],
    ['unknown tag 240', [0, 248, 1, 240]],
    ['expected text, found a JID', [0, 248, 1, 250, 0, 3]],
    ['a JID has no server', [0, 248, 3, 4, 4, 250, 4, 0]],
    ['unknown JID domain 7', [0, 248, 3, 4, 4, 247, 7, 1, 4]],
    ['an interop JID names another server', [0, 248, 3, 4, 4, 245, 4, 0, 1, 0, 1, 3]],
    ['has the attribute type twice', [0, 248, 5, 5, 4, 5, 4, 5]],
    ['packed text has the unknown digit 12', [0, 248, 1, 255, 1, 0xc1]],
    ['packed text has no padding at its end', [0, 248, 1, 255, 0x81, 0x12]],
    ['text is not valid UTF-8', [0, 248, 1, 252, 1, 0xff]],
  ])('%s', (reason, frame) => {
    const decode = () => decodeNode(Buffer.from(frame));
    expect(decode).toThrow(WireError);
    expect(decode).toThrow(reason);
  });

  it('nodes nested without end', () => {
    const open = Buffer.concat([Buffer.of(0), ...Array.from({ length: 100_000 }, () => Buffer.of(248, 2, 4, 248, 1))]);
    expect(() => decodeNode(open)).toThrow('nested deeper');
  });

  it('anything else without another kind of error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
        try {
          decodeNode(Buffer.from([0, 248, ...garbage]));
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the encoder refuses', () => {
  it.each<[string, BinaryNode]>([
    ['a node needs a tag', node('')],
    ['text is not well-formed Unicode', node('a', { b: '\ud800' })],
    ['device number out of range', node('a', { b: jid('1', 'lid', 256) })],
    ['addresses at this server have no devices', node('a', { b: jid('1', 'g.us', 1) })],
    ['needs its integrator', node('a', { b: jid('1', 'interop', 1) })],
    [
      'too long',
      node(
        'a',
        {},
        Array.from({ length: 0x10000 }, () => node('b')),
      ),
    ],
  ])('%s', (reason, tree) => {
    expect(() => encodeNode(tree)).toThrow(reason);
  });
});
