import { describe, expect, it } from 'vitest';
import {
  attrJid,
  attrText,
  bytes,
  child,
  children,
  node,
  requireBytes,
  requireChild,
  requireJid,
  requireText,
} from './binary-node.ts';
import { jid } from './jid.ts';
import { WireError } from './wire-error.ts';

const phone = jid('49151', 's.whatsapp.net', 2);
const stanza = node('iq', { id: '7', to: phone, type: undefined }, [
  node('ref', {}, Buffer.from('one')),
  node('sep'),
  node('ref', {}, Buffer.from('two')),
]);

describe('a binary node', () => {
  it('leaves out undefined attributes and content', () => {
    expect(Object.keys(stanza.attrs)).toStrictEqual(['id', 'to']);
    expect(node('sep', {}, undefined)).not.toHaveProperty('content');
  });

  it('hands out its children', () => {
    expect(children(stanza)).toHaveLength(3);
    expect(children(stanza, 'ref').map(bytes)).toStrictEqual([Buffer.from('one'), Buffer.from('two')]);
    expect(child(stanza, 'ref')?.content).toStrictEqual(Buffer.from('one'));
    expect(child(stanza, 'none')).toBeUndefined();
    expect(children(requireChild(stanza, 'ref'))).toStrictEqual([]);
    expect(() => requireChild(stanza, 'none')).toThrow('<iq> has no <none>');
  });

  it('hands out its attributes by kind', () => {
    expect(attrText(stanza, 'id')).toBe('7');
    expect(attrText(stanza, 'to')).toBe('49151:2@s.whatsapp.net');
    expect(attrText(stanza, 'toString')).toBeUndefined();
    expect(attrJid(stanza, 'to')).toStrictEqual(phone);
    expect(attrJid(stanza, 'from')).toBeUndefined();
    expect(() => attrJid(stanza, 'id')).toThrow('attribute id of <iq> was not sent as a JID');
    expect(() => requireText(stanza, 'from')).toThrow(WireError);
    expect(() => requireJid(stanza, 'from')).toThrow(WireError);
  });

  it('checks the length of bytes', () => {
    const ref = requireChild(stanza, 'ref');
    expect(requireBytes(ref, 3)).toStrictEqual(Buffer.from('one'));
    expect(() => requireBytes(ref, 32)).toThrow('<ref> has 3 bytes instead of 32');
    expect(() => requireBytes(stanza)).toThrow('<iq> has no bytes');
  });
});
